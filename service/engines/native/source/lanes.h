// Vectors of the processor: LANES floats, and sums to which 4 bytes of weights times 4 bytes of h
// are added in each lane. Everything else in this folder is plain C on these vectors.
//
// Every instruction set gives the same bits: sums of integers are exact, and float operations are
// the same in the same order (compile with -ffp-contract=off).
#pragma once
#include <stdint.h>
#include <string.h>

#if defined(__AVX512VNNI__) && !defined(GATEWISE_PLAIN)
#define LANES 16
#define TILE 8
#include <immintrin.h>
#elif defined(__AVX2__) && !defined(GATEWISE_PLAIN)
#define LANES 8
#define TILE 3
#include <immintrin.h>
#elif defined(GATEWISE_PLAIN)
// The code of the widest vectors in plain C, for tests on processors that do not have them.
#define LANES 16
#define TILE 8
#else
#define LANES 4
#define TILE 2
#if defined(__SSE2__)
#include <emmintrin.h>
#endif
#endif

// Loops over the texts of a tile and over the blocks are unrolled, so that sums stay in registers.
#ifdef GATEWISE_PLAIN
#define UNROLL(times)
#else
#define PRAGMA(text) _Pragma(#text)
#define UNROLL(times) PRAGMA(GCC unroll times)
#endif

#define INLINE static inline __attribute__((always_inline))

typedef float Floats __attribute__((vector_size(4 * LANES)));
typedef int32_t Sums __attribute__((vector_size(4 * LANES)));
typedef uint32_t Bits __attribute__((vector_size(4 * LANES)));
typedef int16_t Halves __attribute__((vector_size(2 * LANES)));
typedef uint8_t Bytes __attribute__((vector_size(LANES)));

INLINE Floats spread(float value) { return value - (Floats){0}; }

// ---- sum += w · x of 2 × 16 bits or 4 × 8 bits in each lane; of 8 bits, x has no sign

#if defined(__AVX512VNNI__) && !defined(GATEWISE_PLAIN)
// Inline assembly, because gcc 12 copies and spills the sums of the intrinsics (1.3 times slower).
#define ADD_DOT_16(sum, w, x) __asm__("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(w), "v"(x))
#define ADD_DOT_8(sum, w, x) __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(x), "v"(w))
#elif defined(__AVX2__) && !defined(GATEWISE_PLAIN)
#define ADD_DOT_16(sum, w, x) (sum) += (Sums)_mm256_madd_epi16((__m256i)(w), (__m256i)(x))
// Odd and even bytes apart: vpmaddubsw would saturate.
INLINE Sums dot_8(__m256i w, __m256i x) {
  const __m256i odd = _mm256_madd_epi16(_mm256_srai_epi16(w, 8), _mm256_srli_epi16(x, 8));
  const __m256i even = _mm256_madd_epi16(_mm256_srai_epi16(_mm256_slli_epi16(w, 8), 8),
                                         _mm256_and_si256(x, _mm256_set1_epi16(255)));
  return (Sums)odd + (Sums)even;
}
#define ADD_DOT_8(sum, w, x) (sum) += dot_8((__m256i)(w), (__m256i)(x))
#else
INLINE Sums byte_of(Sums w, int place) { return (Sums)((Bits)w << (24 - 8 * place)) >> 24; }
INLINE Sums dot_8(Sums w, Sums x) {
  Sums sum = {0};
  for (int i = 0; i < 4; i++) sum += byte_of(w, i) * (Sums)(((Bits)x >> (8 * i)) & 255);
  return sum;
}
#define ADD_DOT_8(sum, w, x) (sum) += dot_8(w, x)
#if defined(__SSE2__) && LANES == 4
#define ADD_DOT_16(sum, w, x) (sum) += (Sums)_mm_madd_epi16((__m128i)(w), (__m128i)(x))
#else
INLINE Sums low_half(Sums pair) { return (Sums)((Bits)pair << 16) >> 16; }
#define ADD_DOT_16(sum, w, x) (sum) += low_half(w) * low_half(x) + ((w) >> 16) * ((x) >> 16)
#endif
#endif

// Without this gcc gives sums that start equal one register, and spills the others. It also loads
// weights anew for each text (two texts take 1.15 times as long).
#if defined(__x86_64__) && !defined(GATEWISE_PLAIN)
#define OWN_REGISTER(sum) __asm__("" : "+v"(sum))
#else
#define OWN_REGISTER(sum) (void)0
#endif

// ---- the larger and the smaller; b where either is no number

#if defined(__AVX512VNNI__) && !defined(GATEWISE_PLAIN)
INLINE Floats larger(Floats a, Floats b) { return (Floats)_mm512_max_ps((__m512)a, (__m512)b); }
INLINE Floats smaller(Floats a, Floats b) { return (Floats)_mm512_min_ps((__m512)a, (__m512)b); }
#elif defined(__AVX2__) && !defined(GATEWISE_PLAIN)
INLINE Floats larger(Floats a, Floats b) { return (Floats)_mm256_max_ps((__m256)a, (__m256)b); }
INLINE Floats smaller(Floats a, Floats b) { return (Floats)_mm256_min_ps((__m256)a, (__m256)b); }
#elif defined(__SSE2__) && LANES == 4
INLINE Floats larger(Floats a, Floats b) { return (Floats)_mm_max_ps((__m128)a, (__m128)b); }
INLINE Floats smaller(Floats a, Floats b) { return (Floats)_mm_min_ps((__m128)a, (__m128)b); }
#else
INLINE Floats choose(Sums first, Floats a, Floats b) {
  return (Floats)((first & (Sums)a) | (~first & (Sums)b));
}
INLINE Floats larger(Floats a, Floats b) { return choose(a > b, a, b); }
INLINE Floats smaller(Floats a, Floats b) { return choose(a < b, a, b); }
#endif

// ---- functions of the gates

#define ROUNDER 12582912.f  // 1.5 * 2^23: what is added to it is rounded to a whole number

INLINE Floats rounded(Floats x) { return (x + ROUNDER) - ROUNDER; }

// 2^x to 2.5e-7 of its value, for |x| <= 60 and clamped beyond; -60 for what is no number.
// A Taylor polynomial of degree 5 on [-1/2, 1/2], times a power of two made from its exponent.
INLINE Floats power_of_two(Floats x) {
  x = smaller(larger(x, spread(-60.f)), spread(60.f));
  const Floats whole = rounded(x), f = x - whole;
  const Floats p =
      1.f +
      f * (6.93147181e-1f +
           f * (2.40226507e-1f + f * (5.55041087e-2f + f * (9.61812911e-3f + f * 1.33335581e-3f))));
  return p * (Floats)((__builtin_convertvector(whole, Sums) + 127) << 23);
}

#define LOG2_E 1.44269504f

// s of models/cells.py
INLINE Floats logistic(Floats x) { return 1.f / (1.f + power_of_two(-LOG2_E * x)); }

INLINE Floats tangent(Floats x) {
  const Floats t = power_of_two(-2.f * LOG2_E * x);
  return (1.f - t) / (1.f + t);
}

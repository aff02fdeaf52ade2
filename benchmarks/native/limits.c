// What this processor can do at most: bytes a second from the second cache, and multiplications of
// 16 bits a second in registers. Prints both, the best of several rounds.
#include <immintrin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 9
#define REPEATS 400
#define SUMS 10

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + 1e-9 * time.tv_nsec;
}

#ifdef __AVX512VNNI__
typedef __m512i Vector;
#define ADD_DOT(sum, w) __asm__("vpdpwssd %1, %1, %0" : "+v"(sum) : "v"(w))
#else
typedef __m256i Vector;
#define ADD_DOT(sum, w)                       \
  do {                                        \
    Vector product = _mm256_madd_epi16(w, w); \
    __asm__("" : "+v"(product));              \
    (sum) = _mm256_add_epi32((sum), product); \
  } while (0)
#endif

static double bytes_a_second(size_t bytes) {
  char* memory = aligned_alloc(64, bytes);
  double best = 0;
  memset(memory, 1, bytes);
  for (int round = 0; round < ROUNDS; round++) {
    const double started = now();
    for (int i = 0; i < REPEATS; i++)
      for (size_t k = 0; k < bytes; k += 4 * sizeof(Vector)) {
        const Vector* at = (const Vector*)(memory + k);
        __asm__ volatile("" ::"v"(at[0]), "v"(at[1]), "v"(at[2]), "v"(at[3]));
      }
    const double found = bytes * REPEATS / (now() - started);
    best = found > best ? found : best;
  }
  free(memory);
  return best;
}

static double products_a_second(void) {
  double best = 0;
  for (int round = 0; round < ROUNDS; round++) {
    Vector sums[SUMS], w;
    memset(sums, 0, sizeof sums);
    memset(&w, 1, sizeof w);
    const double started = now();
    for (int i = 0; i < 100 * REPEATS; i++) {
      __asm__("" : "+v"(w));
#pragma GCC unroll 10
      for (int j = 0; j < SUMS; j++) ADD_DOT(sums[j], w);
    }
    const double seconds = now() - started;
    for (int j = 0; j < SUMS; j++) __asm__ volatile("" ::"v"(sums[j]));
    const double found = 100.0 * REPEATS * SUMS * sizeof(Vector) / 2 / seconds;
    best = found > best ? found : best;
  }
  return best;
}

// Argument: bytes of the recurrent matrix.
int main(int count, char** given) {
  const size_t bytes = count > 1 ? strtoul(given[1], 0, 10) / 256 * 256 : 393216;
  printf("%.6e %.6e\n", bytes_a_second(bytes), products_a_second());
}

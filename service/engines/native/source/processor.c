// Which of the compiled libraries this processor can run; compiled for any processor itself.
#include <string.h>

#include "gatewise.h"

#if defined(__x86_64__)
#include <cpuid.h>

#define YMM 0x06u  // registers that the system saves, by bits of XCR0
#define ZMM 0xe6u

// Asked of the processor itself: __builtin_cpu_supports of zig, which compiles the wheels, is a
// stub that always says no.
static int has(unsigned saved, unsigned ebx, unsigned ecx) {
  unsigned a, b, c, d, low, high;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE)) return 0;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  if ((low & saved) != saved || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0;
  return (b & ebx) == ebx && (c & ecx) == ecx;
}
#endif

EXPORTED int gatewise_supports(const char* instructions) {
  if (!strcmp(instructions, "portable")) return 1;
#if defined(__x86_64__)
  if (!strcmp(instructions, "avx2")) return has(YMM, bit_AVX2, 0);
  if (!strcmp(instructions, "avx512vnni"))
    return has(ZMM, bit_AVX512F | bit_AVX512BW | bit_AVX512VL | bit_AVX512DQ, bit_AVX512VNNI);
#endif
  return 0;
}

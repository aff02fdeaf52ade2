// Which of the compiled libraries this processor can run; compiled for any processor itself.
#include <string.h>

#include "gatewise.h"

EXPORTED int gatewise_supports(const char* instructions) {
  if (!strcmp(instructions, "portable")) return 1;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (!strcmp(instructions, "avx2")) return __builtin_cpu_supports("avx2") != 0;
  if (!strcmp(instructions, "avx512vnni"))
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vnni");
#endif
  return 0;
}

#include "backends/processor.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace stair::backends::processor {

#if defined(__x86_64__)

bool has_avx2_fma() {
  return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
}

bool has_avx512() {
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512dq") != 0 &&
         __builtin_cpu_supports("avx512vl") != 0;
}

bool has_avx512_vnni() {
  return has_avx512() && __builtin_cpu_supports("avx512vnni") != 0;
}

bool has_amx_int8() {
  if (!has_avx512_vnni()) return false;
  constexpr unsigned tiles_and_int8 = (1U << 24U) | (1U << 25U);  // EDX of leaf 7
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0 || (edx & tiles_and_int8) != tiles_and_int8) return false;
  constexpr long request_permission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long tile_data = 18;               // XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}

bool has_amx_bf16() {
  if (!has_amx_int8()) return false;
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  const bool tiles = __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (edx >> 22U & 1U) != 0;
  const bool vectors = __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0 && (eax >> 5U & 1U) != 0;
  return tiles && vectors;
}

bool has_neon() {
  return false;
}

bool has_neon_dot_products() {
  return false;
}

#else

bool has_avx2_fma() {
  return false;
}

bool has_avx512() {
  return false;
}

bool has_avx512_vnni() {
  return false;
}

bool has_amx_int8() {
  return false;
}

bool has_amx_bf16() {
  return false;
}

bool has_neon() {
#if defined(__aarch64__)
  return true;
#else
  return false;
#endif
}

bool has_neon_dot_products() {
#if defined(__aarch64__)
  return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#else
  return false;
#endif
}

#endif

}  // namespace stair::backends::processor

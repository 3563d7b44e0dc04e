#include "backends/int8/isa.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <string>

#include "ir/error.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#if defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace stair::backends::int8 {

namespace {

struct Named {
  Isa isa;
  const char* name;
};
constexpr std::array<Named, 6> names{{{Isa::amx, "amx"},
                                      {Isa::avx512_vnni, "avx512_vnni"},
                                      {Isa::avx2, "avx2"},
                                      {Isa::neon_dot, "neon_dot"},
                                      {Isa::neon, "neon"},
                                      {Isa::scalar, "scalar"}}};

#if defined(__x86_64__)

// Registers whose state the operating system saves: bits of XCR0.
constexpr std::uint64_t ymm_state = 0x6, zmm_state = 0xe6, tile_state = 0x60000;

std::uint64_t saved_state() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_OSXSAVE) == 0) return 0;
  unsigned low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (std::uint64_t{high} << 32) | low;
}

bool saves(std::uint64_t state) {
  return (saved_state() & state) == state;
}

struct Features {  // CPUID leaf 7, subleaf 0
  unsigned a = 0, b = 0, c = 0, d = 0;
  Features() {
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) b = c = d = 0;
  }
};

bool has_avx2() {
  constexpr unsigned avx2 = 1U << 5;
  return saves(ymm_state) && (Features().b & avx2) != 0;
}

bool has_avx512_vnni() {
  constexpr unsigned f = 1U << 16, dq = 1U << 17, bw = 1U << 30, vl = 1U << 31, all = f | dq | bw | vl;
  constexpr unsigned vnni = 1U << 11;
  const Features features;
  return has_avx2() && saves(zmm_state) && (features.b & all) == all && (features.c & vnni) != 0;
}

// Linux gives a process tiles only when it asks for them (arch_prctl(2), ARCH_REQ_XCOMP_PERM).
bool tiles_permitted() {
#if defined(__linux__)
  constexpr long request_permission = 0x1023, tile_data = 18;
  return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
#else
  return false;
#endif
}

bool has_amx() {
  constexpr unsigned tile = 1U << 24, int8 = 1U << 25, all = tile | int8;
  return has_avx512_vnni() && saves(tile_state) && (Features().d & all) == all && tiles_permitted();
}

bool detect(Isa isa) {
  switch (isa) {
    case Isa::amx:
      return has_amx();
    case Isa::avx512_vnni:
      return has_avx512_vnni();
    case Isa::avx2:
      return has_avx2();
    case Isa::scalar:
      return true;
    default:
      return false;
  }
}

#elif defined(__aarch64__)

bool has_dot_products() {
#if defined(__linux__)
  return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#else
  return false;
#endif
}

bool detect(Isa isa) {
  switch (isa) {
    case Isa::neon_dot:
      return has_dot_products();
    case Isa::neon:
    case Isa::scalar:
      return true;
    default:
      return false;
  }
}

#else

bool detect(Isa isa) {
  return isa == Isa::scalar;
}

#endif

std::string present_names() {
  std::vector<std::string> list;
  for (const Isa isa : present_isas()) list.emplace_back(name_of(isa));
  return one_of(list);
}

void expect_present(Isa isa) {
  if (!is_present(isa)) throw Error("this machine doesn't run '" + std::string(name_of(isa)) + "', expected " + present_names());
}

Isa from_environment() {
  const char* name = std::getenv("STAIR_ISA");
  if (name == nullptr || *name == '\0') return present_isas().front();
  try {
    const Isa isa = isa_named(name);
    expect_present(isa);
    return isa;
  } catch (const Error& error) {
    throw Error(std::string("STAIR_ISA: ") + error.what());
  }
}

std::optional<Isa>& forced() {
  static std::optional<Isa> isa;
  return isa;
}

}  // namespace

std::string_view name_of(Isa isa) {
  return names[static_cast<std::size_t>(isa)].name;
}

Isa isa_named(std::string_view name) {
  std::vector<std::string> list;
  for (const Named& entry : names) {
    if (entry.name == name) return entry.isa;
    list.emplace_back(entry.name);
  }
  throw Error("unknown instruction set '" + std::string(name) + "'" + did_you_mean(name, list) + ", expected " + one_of(list));
}

const std::vector<Isa>& every_isa() {
  static const std::vector<Isa> all = [] {
    std::vector<Isa> list;
    for (const Named& entry : names) list.push_back(entry.isa);
    return list;
  }();
  return all;
}

bool is_present(Isa isa) {
  static const std::array<bool, names.size()> present = [] {
    std::array<bool, names.size()> answers{};
    for (std::size_t i = 0; i < names.size(); ++i) answers[i] = detect(names[i].isa);
    return answers;
  }();
  return present[static_cast<std::size_t>(isa)];
}

std::vector<Isa> present_isas() {
  std::vector<Isa> list;
  std::copy_if(every_isa().begin(), every_isa().end(), std::back_inserter(list), is_present);
  return list;
}

Isa chosen_isa() {
  if (forced()) return *forced();
  static const Isa environment = from_environment();
  return environment;
}

void force_isa(Isa isa) {
  expect_present(isa);
  forced() = isa;
}

}  // namespace stair::backends::int8

#include "backends/int8/isa.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <string>

#include "backends/processor.h"
#include "ir/error.h"

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

bool detect(Isa isa) {
  switch (isa) {
    case Isa::amx:
      return processor::has_amx_int8();
    case Isa::avx512_vnni:
      return processor::has_avx512_vnni();
    case Isa::avx2:
      return processor::has_avx2_fma();
    case Isa::neon_dot:
      return processor::has_neon_dot_products();
    case Isa::neon:
      return processor::has_neon();
    case Isa::scalar:
      return true;
  }
  return false;
}

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

#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace stair::backends::int8 {

/// The variants of the engine, best first. A variant is a folder of that name.
enum class Isa : std::uint8_t {
  amx,          ///< Intel AMX tiles for products, AVX-512 VNNI for the rest
  avx512_vnni,  ///< 512-bit vectors, vpdpbusd
  avx2,         ///< 256-bit vectors, pmaddwd on widened operands
  neon_dot,     ///< 64-bit ARM, 128-bit vectors, sdot (ARMv8.2)
  neon,         ///< every 64-bit ARM, smull and sadalp
  scalar        ///< plain C++, on every machine
};

std::string_view name_of(Isa isa);
/// Inverse of name_of; throws Error with the nearest name.
Isa isa_named(std::string_view name);
/// All variants, best first.
const std::vector<Isa>& every_isa();
/// Whether this machine runs the variant: it is compiled in, the processor has the instructions and the operating system saves their
/// registers. Asks the kernel for permission to use AMX tiles, once.
bool is_present(Isa isa);
/// The variants that this machine runs, best first; the last is scalar.
std::vector<Isa> present_isas();
/// The variant in use: the one forced, else the one that the environment's STAIR_ISA names, else the best. Throws Error where STAIR_ISA
/// names an unknown or absent one.
Isa chosen_isa();
/// Makes kernels prepared from now on use the variant. Throws Error where this machine doesn't run it.
void force_isa(Isa isa);

}  // namespace stair::backends::int8

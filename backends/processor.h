#pragma once

namespace stair::backends::processor {

// What the processor has and the operating system lets a program use. False on a processor of another kind.

bool has_avx2_fma();
/// F, BW, DQ and VL.
bool has_avx512();
bool has_avx512_vnni();
/// Asks the kernel for the tile registers, which it grants to a process once and for all.
bool has_amx_int8();
/// Tiles of bfloat16, and vectors that become them.
bool has_amx_bf16();
bool has_neon();
bool has_neon_dot_products();

}  // namespace stair::backends::processor

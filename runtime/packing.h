#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "runtime/tensor.h"

namespace stair::runtime {

// Integers in fewer bits than a byte, as artifacts store them (docs/format-artifact.md, "Packed integers").

/// Integers of `bits` bits one after another, the lowest bit first, in the lowest bits of each byte first; the last byte is filled with
/// zeros. Signed ones are in two's complement; signed ones of 1 bit are ±1 (0 stands for -1).
std::string pack_integers(const ir::TensorView& integers, std::int64_t bits);
/// The inverse, into a tensor of the given type (s8 or u8). Error unless `bytes` has the length that type and bits ask for.
void unpack_integers(const std::string& bytes, std::int64_t bits, const ir::TensorView& into);

/// What a state's attributes `bits` and `levels` say of how an artifact stores it.
struct Packing {
  std::int64_t bits = 0;             ///< 0: as it is
  std::vector<std::int64_t> levels;  ///< a codebook, ascending: what is packed is where in it an integer stands. None: the integers
};
/// Error "state 'NAME' TYPE has …, expected …" for a width or levels that are none of its type.
Packing packing_of(const ir::Graph& graph, const ir::State& state);

/// A tensor U8 of one dimension, or the integers as they are: where nothing is packed, or one of them has no place in it (a binary weight
/// times a batch-norm factor of 0 is none of ±1), or what is packed could be taken for what isn't.
Tensor packed(const Tensor& integers, const Packing& packing);
/// The inverse. Error "has …, expected …" for another number of bytes, before a tensor of the type is made, or an index beyond the levels.
Tensor unpacked(const Tensor& packed, const ir::Type& type, const Packing& packing);

}  // namespace stair::runtime

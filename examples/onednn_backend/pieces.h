#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "plan.h"

/// A plan made ready to run: its primitives are created, its constants are in the layout that they want, and all else that isn't has a
/// place in scratch memory.
class Pieces {
 public:
  /// `constants` as prepare() gets them. Throws dnnl::error.
  Pieces(const Plan& plan, const void* const* constants);
  std::size_t scratch_bytes() const { return shared_bytes_ + static_cast<std::size_t>(pieces_) * piece_bytes_; }
  /// oneDNN's name of the implementation: "jit:avx512_core".
  const std::string& description() const { return description_; }
  /// NULL, or why a piece failed. Throws dnnl::error.
  const char* run(const stair_arguments& arguments) const;

 private:
  struct Slot {
    Argument argument;
    dnnl::memory::desc wanted;
    dnnl::reorder reorder = {};  ///< into `wanted` (of a result: out of it) where that isn't what is given
    std::size_t scratchpad = 0;  ///< bytes that the reorder needs
    std::size_t offset = 0;      ///< of the reordered tensor in the piece's scratch memory, or in that of all pieces
    dnnl::memory packed = {};    ///< a constant, reordered
    bool reorders() const { return static_cast<bool>(reorder); }
    bool shared() const { return argument.step == 0; }
  };
  class Execution;

  std::vector<Slot> slots_;
  dnnl::primitive primitive_;
  std::int64_t pieces_;
  std::size_t shared_bytes_ = 0;      ///< scratch memory of all pieces,
  std::size_t piece_bytes_ = 0;       ///< and of each
  std::size_t scratchpad_bytes_ = 0;  ///< of oneDNN, at the beginning of each
  std::string description_;
};

#pragma once

#include <stair_plugin.h>

#include <cstdint>
#include <oneapi/dnnl/dnnl.hpp>
#include <stdexcept>
#include <vector>

/// Why a node can't be run: a text for the user.
struct Declined : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// An argument of a primitive: an operand or a result of the node.
struct Argument {
  int id;                    ///< DNNL_ARG_SRC…
  bool result = false;       ///< of the node, else an operand
  std::size_t place = 0;     ///< among its operands or results
  dnnl::memory::desc given;  ///< how a piece of it lies in Staircase's memory; may differ from what the primitive wants
  std::int64_t step = 0;     ///< bytes from a piece to the next; 0: every piece reads all of it
};

/// A node as executions of one primitive on equal pieces. How many there are follows from shapes alone, and each runs on one thread, so
/// that results don't depend on the number of threads (N-REPEAT).
struct Plan {
  dnnl::primitive_desc primitive;
  std::vector<Argument> arguments;
  std::int64_t pieces = 1;
};

/// The plan of a node, by op. Throws Declined, or dnnl::error where oneDNN has no primitive for it.
using Planner = Plan (*)(const stair_node& node);
Plan conv2d(const stair_node& node);
Plan conv2d_grad_input(const stair_node& node);
Plan conv2d_grad_weight(const stair_node& node);
Plan conv2d_integer(const stair_node& node);
Plan linear(const stair_node& node);
Plan matmul(const stair_node& node);

dnnl::engine& cpu();

inline void expect_f32(const stair_node& node) {
  if (node.operands[0].element != STAIR_F32) throw Declined("floats of 32 bits only");
}

/// How many pieces an extent is cut into: its largest divisor up to 8 that leaves pieces of a multiple of `unit`. Little work isn't cut.
inline std::int64_t pieces_of(std::int64_t extent, std::int64_t unit, double multiplications) {
  if (multiplications < 1e6) return 1;
  for (std::int64_t pieces = 8; pieces > 1; --pieces) {
    if (extent % pieces == 0 && extent / pieces % unit == 0) return pieces;
  }
  return 1;
}

/// A layout that oneDNN may choose.
inline dnnl::memory::desc any(const dnnl::memory::desc& given) {
  return {given.dims(), given.data_type(), dnnl::memory::format_tag::any};
}

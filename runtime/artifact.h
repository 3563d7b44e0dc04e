#pragma once

#include <string>
#include <vector>

#include "ir/arithmetic_version.h"
#include "ir/graph.h"
#include "runtime/tensor.h"

namespace stair::runtime {

inline constexpr int artifact_version = 1;  ///< of the format

/// What is deployed, in one file (docs/format-artifact.md): the integer graph as text, its constants (integer weights packed at their
/// width), and how a picture becomes the graph's input.
struct Artifact {
  ir::Graph graph;  ///< batch 1
  Tensors constants;
  std::string recipe;                       ///< JSON
  std::vector<double> mean, std;            ///< x = (picture / 255 - mean[c]) / std[c]; empty: x = picture / 255
  int arithmetic = ir::arithmetic_version;  ///< the version that its integers were made in; every version runs as it stands
};

/// Replaces the file at once; returns its size in bytes.
std::size_t save_artifact(const Artifact& artifact, const std::string& path);
/// Error naming the file where it is missing, damaged, foreign or of a newer version.
Artifact load_artifact(const std::string& path);

/// Integers of `bits` bits one after another, the lowest bit first, in the lowest bits of each byte first; the last byte is filled with
/// zeros. Signed ones are in two's complement; signed ones of 1 bit are ±1 (0 stands for -1).
std::string pack_integers(const ir::TensorView& integers, std::int64_t bits);
/// The inverse, into a tensor of the given type (s8 or u8). Error unless `bytes` has the length that type and bits ask for.
void unpack_integers(const std::string& bytes, std::int64_t bits, const ir::TensorView& into);

}  // namespace stair::runtime

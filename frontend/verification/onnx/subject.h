#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "frontend/importers/onnx/model.h"
#include "frontend/verification/verification.h"
#include "ir/graph.h"

namespace stair::verification::onnx {

inline constexpr std::int64_t largest_batch = 16;  ///< an evaluation keeps every value in 8 bytes an element

/// Whether the file normalizes its inputs itself, so that it takes what the data have.
bool takes_data(const frontend::onnx::Model& file);

/// The file in the place of an artifact of that deployment graph, in which values and the nodes that sum have the graph's names (an output
/// its output's). What the graph has as s8 the file may have as u8, 128 larger. Sums and constants are those that the file says where a
/// node of that name sums; others aren't stored. Error where another value isn't there, or an input is another.
Subject subject_of(const frontend::onnx::Model& file, const ir::Graph& deployed, const std::vector<std::string>& values);

}  // namespace stair::verification::onnx

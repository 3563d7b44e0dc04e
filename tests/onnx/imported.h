#pragma once

#include <string>
#include <vector>

#include "frontend/importers/onnx/import.h"
#include "tests/support/onnx_file.h"

namespace stair::tests {

/// The graph, imported from the bytes of its file.
frontend::onnx::Made import_graph(const OnnxGraph& graph, const frontend::onnx::Options& options = {});

/// The first output of the imported model for one input of these values, in float.
std::vector<float> run_imported(frontend::onnx::Made& made, const std::vector<float>& x, std::int64_t batch);

/// The ops of the layers of its model JSON, in order.
std::vector<std::string> ops_of(const frontend::onnx::Made& made);

}  // namespace stair::tests

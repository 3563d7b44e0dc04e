#pragma once

#include <string>

#include "frontend/compile.h"

namespace stair::reports {

/// A table of an executor's nodes: which backend and kernel runs each, and why the preferred ones don't.
std::string assignment_report(const runtime::Executor& executor);

/// What is deployed: constants with their width and bytes, the bits that each accumulator needs (N-ACC), and the nodes' backends.
std::string deployment_report(frontend::Deployment& deployment, const frontend::CompileOptions& options);

/// A model's layers: name, op, shape of the result, parameters.
std::string model_report(const ir::Graph& model);

/// The graph for Graphviz.
std::string to_dot(const ir::Graph& graph);

}  // namespace stair::reports

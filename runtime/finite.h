#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ir/graph.h"
#include "ir/type.h"
#include "runtime/tensor.h"

namespace stair::runtime {

// N-FINITE: input data, ranges, states and exported constants are finite, and whoever finds one that isn't stops with its name.

/// The first element that is NaN or infinite; none where all are finite, or the tensor isn't of floats.
std::optional<std::int64_t> first_not_finite(const ir::TensorView& tensor, int threads = 1);

/// "element 3 is nan" of such an element.
std::string describe_not_finite(const ir::TensorView& tensor, std::int64_t element);

/// Error "WHERE: element 3 is nan, expected finite numbers".
void check_finite(const ir::TensorView& tensor, const std::string& where);

/// Error naming a state that isn't finite. Ranges of observers that have seen nothing are infinite on purpose: they are what their
/// initializer says.
void check_finite_state(const ir::Graph& graph, const ir::State& state, const Tensor& tensor);

}  // namespace stair::runtime

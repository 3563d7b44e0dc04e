#pragma once

#include <cstdint>
#include <vector>

#include "ir/graph.h"
#include "ir/type.h"

namespace stair::backends::reference {

/// For each input element, in order, the output element that it is reduced into, by the attribute `axes`.
std::vector<std::int64_t> reduction_targets(const ir::Attributes& attributes, const ir::Shape& x);

}  // namespace stair::backends::reference

#include "backends/reference/reduction.h"

namespace stair::backends::reference {

std::vector<std::int64_t> reduction_targets(const ir::Attributes& attributes, const ir::Shape& x) {
  const std::size_t rank = x.size();
  std::vector<bool> reduced(rank, false);
  for (const std::int64_t axis : attributes.integers("axes")) {
    reduced[static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(rank) : axis)] = true;
  }
  // Dimension by dimension, from the first on: the targets of a prefix, each continued by the next dimension.
  std::vector<std::int64_t> targets{0};
  for (std::size_t d = 0; d < rank; ++d) {
    std::vector<std::int64_t> longer;
    longer.reserve(targets.size() * static_cast<std::size_t>(x[d]));
    for (const std::int64_t target : targets) {
      for (std::int64_t i = 0; i < x[d]; ++i) longer.push_back(reduced[d] ? target : target * x[d] + i);
    }
    targets = std::move(longer);
  }
  return targets;
}

}  // namespace stair::backends::reference

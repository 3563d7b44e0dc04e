#include "runtime/metric.h"

#include <fmt/format.h>

#include <bit>

namespace stair::runtime {

void keep(Counts& counts, std::int64_t place, double value) {
  counts[static_cast<std::size_t>(place)] = std::bit_cast<std::int64_t>(value);
}

double kept(const Counts& counts, std::int64_t place) {
  return std::bit_cast<double>(counts[static_cast<std::size_t>(place)]);
}

std::string Metric::shown(double value) const {
  return is_share ? fmt::format("{:.2f} %", 100 * value) : fmt::format("{:.6g}", value);
}

}  // namespace stair::runtime

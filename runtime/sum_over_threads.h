#pragma once

#include <functional>

namespace stair::runtime {

/// The sum of what measure() returns on each of `threads` threads at once. Unlike the pieces of a parallel_for, each surely has a thread of
/// its own: for measurements of what threads do beside each other.
double sum_over_threads(int threads, const std::function<double()>& measure);

}  // namespace stair::runtime

#pragma once

#include <cstdint>
#include <string>

#include "runtime/metric.h"

namespace stair::runtime::metrics_ {

// What metrics of floats beside floats share. A sum over an example is one in double precision, in the order of its elements; that over the
// examples in theirs.

inline std::string expects_floats(const Measured& all) {
  return all.classes() ? "float targets" : "";
}

inline std::int64_t one_an_example(const Measured& all) {
  return all.examples();
}

/// The sum of term(output, target) over an example's elements.
template <class Term>
double sum_of_example(const Evaluated& some, std::int64_t i, Term term) {
  const std::int64_t size = some.outputs.count() / some.outputs.dim(0);
  double sum = 0;
  for (std::int64_t k = i * size; k < (i + 1) * size; ++k)
    sum += term(static_cast<double>(some.outputs.as<float>()[k]), static_cast<double>(some.targets.as<float>()[k]));
  return sum;
}

inline double squared_error(double output, double target) {
  return (output - target) * (output - target);
}

template <class Term>
void keep_sums(const Evaluated& some, Counts& into, Term term) {
  for (std::int64_t i = 0; i < some.count; ++i) keep(into, some.first + i, sum_of_example(some, i, term));
}

/// Over all elements.
inline double mean_of_sums(const Measured& all, const Counts& counts) {
  double sum = 0;
  for (std::int64_t i = 0; i < all.examples(); ++i) sum += kept(counts, i);
  return sum / static_cast<double>(ir::element_count(all.outputs.shape));
}

}  // namespace stair::runtime::metrics_

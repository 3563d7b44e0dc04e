#include "runtime/finite.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>

#include "backends/finite.h"
#include "backends/parallel_for.h"
#include "ir/error.h"

namespace stair::runtime {
namespace {

template <class Real>
std::optional<std::int64_t> first_in(const Real* x, std::int64_t first, std::int64_t last) {
  const Real* const found = std::find_if(x + first, x + last, [](Real value) { return !std::isfinite(value); });
  return found == x + last ? std::nullopt : std::optional(found - x);
}

// A NaN's sign means nothing.
template <class Real>
double shown(Real value) {
  return static_cast<double>(std::isnan(value) ? std::fabs(value) : value);
}

}  // namespace

std::optional<std::int64_t> first_not_finite(const ir::TensorView& tensor, int threads) {
  constexpr std::int64_t piece = 65536;
  const std::int64_t count = tensor.count();
  if (tensor.type.dtype == ir::DType::f64) return first_in(tensor.as<double>(), 0, count);
  if (tensor.type.dtype != ir::DType::f32) return std::nullopt;
  const auto* x = tensor.as<float>();
  std::atomic<std::int64_t> first = count;
  backends::parallel_for((count + piece - 1) / piece, threads, [&](std::int64_t i, int) {
    const std::int64_t begin = i * piece;
    if (backends::all_finite(x + begin, std::min(piece, count - begin))) return;
    std::int64_t known = first.load();
    while (begin < known && !first.compare_exchange_weak(known, begin)) {
    }
  });
  return first == count ? std::nullopt : first_in(x, first.load(), count);
}

std::string describe_not_finite(const ir::TensorView& tensor, std::int64_t element) {
  const double value = tensor.type.dtype == ir::DType::f64 ? shown(tensor.as<double>()[element]) : shown(tensor.as<float>()[element]);
  return fmt::format("element {} is {}", element, value);
}

void check_finite(const ir::TensorView& tensor, const std::string& where) {
  const std::optional<std::int64_t> element = first_not_finite(tensor);
  if (element) throw Error(where + ": " + describe_not_finite(tensor, *element) + ", expected finite numbers");
}

void check_finite_state(const ir::Graph& graph, const ir::State& state, const Tensor& tensor) {
  if (state.role == ir::StateRole::observer && tensor.type().dtype == ir::DType::f32) {
    const auto nothing_seen = static_cast<float>(state.initializer.a);
    const auto is_initial = [&](float value) { return value == nothing_seen; };
    if (std::all_of(tensor.as<float>(), tensor.as<float>() + tensor.count(), is_initial)) return;
  }
  check_finite(tensor.view(), "tensor '" + graph.value(state.value).name + "'");
}

}  // namespace stair::runtime

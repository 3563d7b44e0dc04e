#include <algorithm>
#include <cmath>
#include <vector>

#include "backends/reference/kernel.h"
#include "ir/integer_rows.h"

namespace stair::backends::reference {
namespace {

// A tensor as rows that are normalized, each of so many parameters (gamma and beta) by `inner` elements.
struct RowView {
  std::int64_t parameters, groups, in_group, inner, rows, length;

  // Parameters lie along dimension 1 in groups of an example, or are all of the dimensions from some one on.
  RowView(const ir::Shape& x, std::int64_t parameter_count, std::int64_t its_groups)
      : parameters(parameter_count), groups(its_groups == 0 ? 1 : its_groups), in_group(parameters / groups), inner(1) {
    if (its_groups > 0) inner = ir::element_count(x) / (x[0] * parameters);
    length = in_group * inner;
    rows = ir::element_count(x) / length;
  }
  RowView(const ir::Node& node, const ir::TensorView& x, const ir::TensorView& gamma)
      : RowView(x.type.shape, gamma.count(), groups_of(node, gamma)) {}

  // The first parameter of a row.
  std::int64_t first_parameter(std::int64_t row) const { return row % groups * in_group; }

  // Calls body(parameter, element of x) for each element of a row, in order.
  template <class Body>
  void for_each(std::int64_t row, Body&& body) const {
    std::int64_t element = row * length;
    const std::int64_t first = first_parameter(row);
    for (std::int64_t p = first; p < first + in_group; ++p) {
      for (std::int64_t i = 0; i < inner; ++i) body(p, element++);
    }
  }

 private:
  static std::int64_t groups_of(const ir::Node& node, const ir::TensorView& gamma) {
    if (node.attributes.has("axis")) return 0;
    return node.attributes.has("groups") ? node.attributes.integer("groups") : gamma.count();
  }
};

struct Statistics {
  double mean, inv_std;
};

// In two passes over sums of doubles.
template <class Real>
Statistics statistics_of(const RowView& view, const Real* x, std::int64_t row, double eps) {
  const Real* const begin = x + row * view.length;
  const Real* const end = begin + view.length;
  const auto n = static_cast<double>(view.length);
  double sum = 0;
  for (const Real* at = begin; at != end; ++at) sum += static_cast<double>(*at);
  const double mean = sum / n;
  double squares = 0;
  for (const Real* at = begin; at != end; ++at) squares += (static_cast<double>(*at) - mean) * (static_cast<double>(*at) - mean);
  return {mean, 1 / std::sqrt(squares / n + eps)};
}

void run_row_norm(const ir::Node& node, const Arguments& a) {
  const RowView view(node, a.operands[0], a.operands[1]);
  const double eps = node.attributes.number("eps");
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Real* x = a.operands[0].as<Real>();
    const Real* gamma = a.operands[1].as<Real>();
    const Real* beta = a.operands[2].as<Real>();
    Real* y = a.results[0].as<Real>();
    parallel_for(view.rows, a.threads, [&](std::int64_t row, int) {
      const Statistics its = statistics_of(view, x, row, eps);
      const auto mean = static_cast<Real>(its.mean);
      const auto inv_std = static_cast<Real>(its.inv_std);
      view.for_each(row, [&](std::int64_t p, std::int64_t i) { y[i] = (x[i] - mean) * inv_std * gamma[p] + beta[p]; });
    });
  });
}

// With h = (x - mean) inv_std and u = dy gamma: dx = inv_std (u - mean(u) - h mean(u h)), dgamma = sum dy h, dbeta = sum dy.
void run_row_norm_grad(const ir::Node& node, const Arguments& a) {
  const RowView view(node, a.operands[1], a.operands[2]);
  const double eps = node.attributes.number("eps");
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Real* dy = a.operands[0].as<Real>();
    const Real* x = a.operands[1].as<Real>();
    const Real* gamma = a.operands[2].as<Real>();
    Real* dx = a.results[0].as<Real>();
    std::vector<Statistics> all(static_cast<std::size_t>(view.rows));
    const auto normalized = [&](std::int64_t row, std::int64_t i) {
      const Statistics& its = all[static_cast<std::size_t>(row)];
      return (static_cast<double>(x[i]) - its.mean) * its.inv_std;
    };
    parallel_for(view.rows, a.threads, [&](std::int64_t row, int) {
      const Statistics its = all[static_cast<std::size_t>(row)] = statistics_of(view, x, row, eps);
      double sum = 0;
      double product = 0;
      view.for_each(row, [&](std::int64_t p, std::int64_t i) {
        const double u = static_cast<double>(dy[i]) * static_cast<double>(gamma[p]);
        sum += u;
        product += u * normalized(row, i);
      });
      sum /= static_cast<double>(view.length);
      product /= static_cast<double>(view.length);
      view.for_each(row, [&](std::int64_t p, std::int64_t i) {
        const double u = static_cast<double>(dy[i]) * static_cast<double>(gamma[p]);
        dx[i] = static_cast<Real>(its.inv_std * (u - sum - normalized(row, i) * product));
      });
    });
    parallel_for(view.parameters, a.threads, [&](std::int64_t p, int) {
      double of_gamma = 0;
      double of_beta = 0;
      for (std::int64_t row = p / view.in_group; row < view.rows; row += view.groups) {
        const std::int64_t first = row * view.length + p % view.in_group * view.inner;
        for (std::int64_t i = first; i < first + view.inner; ++i) {
          of_gamma += static_cast<double>(dy[i]) * normalized(row, i);
          of_beta += static_cast<double>(dy[i]);
        }
      }
      a.results[1].as<Real>()[p] = static_cast<Real>(of_gamma);
      a.results[2].as<Real>()[p] = static_cast<Real>(of_beta);
    });
  });
}

// N-NORM
void run_row_norm_integer(const ir::Node& node, const Arguments& a) {
  const RowView view(node, a.operands[0], a.operands[1]);
  const auto* gamma = a.operands[1].as<std::int32_t>();
  const auto* beta = a.operands[2].as<std::int32_t>();
  const std::int32_t k = *a.operands[3].as<std::int32_t>();
  const ir::FixedMultiplier epsilon{*a.operands[4].as<std::int32_t>(), *a.operands[5].as<std::int32_t>()};
  const std::int32_t zero_point = *a.operands[6].as<std::int32_t>();
  const ir::Range range = range_of(node);
  for_quantized(a.operands[0].type.dtype, [&]<class Q>() {
    for_quantized(a.results[0].type.dtype, [&]<class Y>() {
      const Q* q = a.operands[0].as<Q>();
      Y* y = a.results[0].as<Y>();
      parallel_for(view.rows, a.threads, [&](std::int64_t row, int) {
        std::int64_t sum = 0;
        std::int64_t squares = 0;
        for (const Q* at = q + row * view.length; at != q + (row + 1) * view.length; ++at) {
          sum += *at;
          squares += *at * *at;
        }
        const ir::NormRow its(view.length, sum, squares, epsilon);
        view.for_each(row, [&](std::int64_t p, std::int64_t i) {
          y[i] = static_cast<Y>(ir::norm_quantized(its.normalized(q[i]), gamma[p], beta[p], k, zero_point, range));
        });
      });
    });
  });
}

// N-NORM
void run_norm_parameters(const ir::Node& node, const Arguments& a) {
  const auto* gamma = a.operands[0].as<float>();
  const auto* beta = a.operands[1].as<float>();
  const float y_scale = *a.operands[3].as<float>();
  const std::int64_t count = a.operands[0].count();
  float largest = 0;
  for (std::int64_t i = 0; i < count; ++i) largest = std::max({largest, std::abs(gamma[i]), std::abs(beta[i])});
  const std::int32_t k = ir::norm_parameter_shift(static_cast<double>(largest) / static_cast<double>(y_scale));
  for (std::int64_t i = 0; i < count; ++i) {
    a.results[0].as<std::int32_t>()[i] = ir::norm_parameter(gamma[i], y_scale, k);
    a.results[1].as<std::int32_t>()[i] = ir::norm_parameter(beta[i], y_scale, k);
  }
  *a.results[2].as<std::int32_t>() = k;
  const ir::FixedMultiplier epsilon =
      ir::norm_epsilon(node.attributes.number("eps"), node.attributes.integer("count"), *a.operands[2].as<float>());
  *a.results[3].as<std::int32_t>() = epsilon.mantissa;
  *a.results[4].as<std::int32_t>() = epsilon.shift;
}

}  // namespace

void row_norm(FunctionKernels& kernels) {
  for (const char* op : {"layer_norm", "group_norm", "instance_norm"}) {
    kernels.add(op, {run_row_norm});
    kernels.add(std::string(op) + "_grad", {run_row_norm_grad});
  }
  for (const char* op : {"layer_norm_integer", "group_norm_integer"}) kernels.add(op, {run_row_norm_integer});
  kernels.add("norm_parameters", {run_norm_parameters});
}

}  // namespace stair::backends::reference

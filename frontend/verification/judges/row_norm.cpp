#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "frontend/verification/exact_integers.h"
#include "frontend/verification/judge_constants.h"
#include "frontend/verification/site_check.h"
#include "frontend/verification/verdict.h"
#include "ir/op.h"

// N-NORM: gamma, beta and eps as integers are held against double precision, the rest against a second evaluation.
//
// In float, with n elements of a row, s = sqrt(v + eps), h = (x - m) / s, and E twice the largest e(x) + (n + 4) u |x| of the row, which is
// what float32 may be off in x - m, and so in s: h is off by at most 2 E (1 + |h|) / s while E is at most s / 2, and by the roundings of
// the sum of squares, of the root and of the quotient.
//   e(y) = |gamma| (2 E (1 + |h|) / s + (n + 8) u |h|) + e(gamma) (1 + |h|) + e(beta) + 2 u (|y| + |beta|)

namespace stair::verification::judges {
namespace {

using exact::Wide;
using ir::ValueId;

// How x is cut into rows, and which parameter belongs to an element.
struct Rows {
  Rows(const ir::Node& node, const ir::Shape& shape) {
    const ir::Attributes& attributes = node.attributes;
    if (attributes.has("axis")) {
      const std::int64_t axis = attributes.integer("axis");
      const std::size_t first = static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(shape.size()) : axis);
      for (std::size_t d = first; d < shape.size(); ++d) length *= shape[d];
      parameters = length;
      return;
    }
    for (std::size_t d = 2; d < shape.size(); ++d) inner *= shape[d];
    parameters = shape[1];
    length = parameters * inner / (attributes.has("groups") ? attributes.integer("groups") : shape[1]);
  }
  std::size_t parameter(std::int64_t i) const { return static_cast<std::size_t>(i / inner % parameters); }

  std::int64_t length = 1, inner = 1, parameters = 1;
};

Wide power(int exponent) {
  return Wide{1} << exponent;
}

// The largest integer whose square is at most w < 2^62, bit by bit.
Wide root_of(Wide w) {
  Wide root = 0;
  for (int bit = 31; bit >= 0; --bit) {
    if ((root + power(bit)) * (root + power(bit)) <= w) root += power(bit);
  }
  return root;
}

// a of a row of n elements: n 2^a lies in (2^22, 2^23].
int padding_of(std::int64_t n) {
  int a = 0;
  while (n * (std::int64_t{1} << (a + 1)) <= std::int64_t{1} << 23) ++a;
  return a;
}

// h of the elements of a row.
void judge_row_norm(const double* q, std::int64_t n, std::int64_t mantissa, int shift, std::vector<Wide>& normalized) {
  Wide sum = 0;
  Wide squares = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const auto at = static_cast<std::int64_t>(q[i]);
    sum += at;
    squares += at * at;
  }
  const Wide variance = n * squares - sum * sum;
  normalized.assign(static_cast<std::size_t>(n), 0);
  if (variance == 0) return;
  const int a = padding_of(n);
  const Wide e = std::max<Wide>(1, shift >= 0 ? mantissa * power(shift) : exact::floor_shift(mantissa, -shift));
  Wide w = variance * power(2 * a) + e;
  int j = 0;
  for (; w < power(60); w *= 4) ++j;
  const Wide factor = power(60) / root_of(w);
  const int t = 44 - a - j;
  for (std::int64_t i = 0; i < n; ++i) {
    const Wide from_mean = n * static_cast<std::int64_t>(q[i]) - sum;
    normalized[static_cast<std::size_t>(i)] = exact::floor_shift(from_mean * factor + power(t - 1), t);
  }
}

Expected normalized_rows(const SiteCheck& check) {
  const double* q = check.computed(check.site.number.value);
  const ir::Shape& shape = check.values(check.site.integers.q).type.shape;
  const Rows rows(*check.site.root, shape);
  const ir::TensorView gamma = check.operand("gamma").tensor;
  const ir::TensorView beta = check.operand("beta").tensor;
  const auto k = static_cast<int>(check.operand("k").integer());
  const std::int64_t mantissa = check.operand("mantissa").integer();
  const auto shift = static_cast<int>(check.operand("shift").integer());
  const auto [low, high] = check.range();
  const auto all = std::make_shared<std::vector<std::int64_t>>();
  std::vector<Wide> normalized;
  for (std::int64_t first = 0; first < ir::element_count(shape); first += rows.length) {
    judge_row_norm(q + first, rows.length, mantissa, shift, normalized);
    for (std::int64_t i = first; i < first + rows.length; ++i) {
      const auto p = static_cast<std::int64_t>(rows.parameter(i));
      const Wide sum = normalized[static_cast<std::size_t>(i - first)] * integer_at(gamma, p) + integer_at(beta, p) * power(16);
      const Wide found = check.zero_point + exact::floor_shift(sum + power(k + 15), k + 16);
      all->push_back(static_cast<std::int64_t>(std::clamp<Wide>(found, low, high)));
    }
  }
  return [all](std::int64_t i) { return exactly((*all)[static_cast<std::size_t>(i)]); };
}

// gamma or beta in steps of the result, times 2^k.
void judge_parameter(Constants& all, const JudgeSite& site, const char* name, const JudgeOutput& number, double factor) {
  const ir::TensorView found = all.values(operand_named(*site.made, name));
  const double* expected = all.computed(number.value);
  const double* error = all.computed(number.error);
  Judgement of{site.made->name, name, true};
  for (std::int64_t i = 0; i < found.count(); ++i) {
    const auto integer = integer_at(found, i);
    const double off = error == nullptr ? 0 : error[i] * factor;
    count(of, i, integer_verdict(integer, expected[i] * factor, off, -0x1p30, 0x1p30), static_cast<double>(integer));
  }
  all.into.push_back(std::move(of));
}

ValueId bound_of_row_norm(BoundedNode& n) {
  const ir::Shape& shape = n.source().type(n.node().operands[0]).shape;
  const Rows rows(n.node(), shape);
  const ir::Shape flat{ir::element_count(shape) / rows.length, rows.length};
  const double terms = static_cast<double>(rows.length);
  const auto constant = [&](double value, const ir::Shape& of) {
    return n.emit("constant", {}, {{"value", value}, {"shape", of}, {"dtype", std::string("f64")}});
  };
  const auto in_rows = [&](ValueId x) { return n.emit("reshape", {x}, {{"shape", flat}}); };
  const auto of_rows = [&](const char* op, ValueId x) { return n.emit(op, {x}, {{"axes", std::vector<std::int64_t>{1}}, {"keep", true}}); };
  ir::Shape parameters = n.source().type(n.node().operands[1]).shape;
  const ValueId plain = n.again({n.x(), constant(1, parameters), constant(0, parameters)});
  const ValueId h = in_rows(n.emit("add", {n.emit("relu", {plain}), n.emit("relu", {n.emit("negate", {plain})})}));
  const ValueId sloped = n.sum(h, constant(1, {1}));

  const ValueId off = of_rows("reduce_max", in_rows(n.sum(n.times(n.most(), (terms + 4) * float_unit), n.e())));
  const ValueId x = in_rows(n.x());
  const ValueId centred = n.emit("sub", {x, of_rows("reduce_mean", x)});
  const ValueId deviation =
      n.emit("standard_deviation", {of_rows("reduce_mean", n.product(centred, centred))}, {{"eps", n.node().attributes.at("eps")}});
  const ValueId slope = n.times(n.quotient(off, deviation), 4);
  const ValueId of_h = n.sum(n.product(slope, sloped), n.times(h, (terms + 8) * float_unit));

  // gamma by channel stands before the dimensions of an image.
  if (!n.node().attributes.has("axis")) parameters.resize(shape.size() - 1, 1);
  const auto by_parameter = [&](ValueId of) { return of == ir::absent ? of : n.emit("reshape", {of}, {{"shape", parameters}}); };
  const auto in_shape = [&](ValueId of) { return n.emit("reshape", {of}, {{"shape", shape}}); };
  ValueId bound = n.product(in_shape(of_h), by_parameter(n.size(1)));
  bound = n.sum(bound, n.product(in_shape(sloped), by_parameter(n.e(1))));
  bound = n.sum(bound, by_parameter(n.e(2)));
  return n.sum(bound, n.times(n.sum(n.y_size(), by_parameter(n.size(2))), 2 * float_unit));
}

void judge_norm(Constants& all, const JudgeSite& site) {
  const double y = all.number(site.integers.scale);
  const ir::TensorView gamma = all.values(operand_named(*site.made, "gamma"));
  double largest = 0;
  double room = 0;
  for (const JudgeOutput& parameter : site.parameters) {
    const double* values = all.computed(parameter.value);
    const double* error = all.computed(parameter.error);
    for (std::int64_t i = 0; i < gamma.count(); ++i) {
      largest = std::max(largest, std::abs(values[i]) / y);
      if (error != nullptr) room = std::max(room, error[i] / y);
    }
  }
  const auto shift_of = [](double size) { return size > 0 ? std::clamp(std::floor(30 - std::log2(size)), 0.0, 30.0) : 30.0; };
  const auto k = static_cast<double>(all.integer(operand_named(*site.made, "k")));
  Judgement of{site.made->name, "k", true};
  const double rounding = room + 0x1p-44 * largest;
  count(of, 0, {k >= shift_of(largest + rounding) && k <= shift_of(largest - rounding), shift_of(largest)}, k);
  all.into.push_back(std::move(of));
  judge_parameter(all, site, "gamma", site.parameters.at(0), std::exp2(k) / y);
  judge_parameter(all, site, "beta", site.parameters.at(1), std::exp2(k) / y);

  const Rows rows(*site.root, all.simulated.type(site.root->operands[0]).shape);
  const double t = std::ldexp(static_cast<double>(rows.length), padding_of(rows.length)) / all.number(site.x.scale);
  Judgement eps{site.made->name, "eps", true};
  count_fixed(eps, 0, all.integer(operand_named(*site.made, "mantissa")), all.integer(operand_named(*site.made, "shift")),
              site.root->attributes.number("eps") * (t * t) * 0x1p-31);
  all.into.push_back(std::move(eps));
}

}  // namespace

void row_norm(OpJudgeRegistry& registry) {
  for (const char* op : {"layer_norm_integer", "group_norm_integer"}) {
    registry.add({.name = op, .activations = OpJudge::Activations{OpJudge::Activations::Reads::integers, normalized_rows, judge_norm}});
  }
  for (const char* op : {"layer_norm", "group_norm", "instance_norm"}) registry.add({.name = op, .bound = bound_of_row_norm});
}

}  // namespace stair::verification::judges

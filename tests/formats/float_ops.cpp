#include "tests/formats/step.h"

namespace reader {
namespace {

Tensor arithmetic(const Step& s) {
  return pairs({"f32", broadcast(s[0].shape, s[1].shape)}, s,
               [&](double a, double b) { return static_cast<double>(combined(s.op(), real(a), real(b))); });
}

Tensor normalized(const Step& s) {
  Tensor y("f32", s[0].shape);
  const auto eps = real(s.number("eps", 1e-5));
  each(y.shape, [&](const Shape& i) {
    const auto of = [&](std::size_t operand) { return real(of_channel(s[operand], i, 1)); };
    float x = real(s[0].at(i));
    if (s.op() == "channel_affine") {
      if (s.has(1)) x = x * of(1);
      if (s.has(2)) x = x + of(2);
    } else {
      x = (x - of(3)) * (of(1) / std::sqrt(of(4) + eps)) + of(2);
    }
    y.at(i) = static_cast<double>(x);
  });
  return y;
}

float activated(const Step& s, float x) {
  const std::string op = s.op();
  const auto attribute = [&](const char* name, double missing) { return real(s.number(name, missing)); };
  const auto softplus = [](float v) { return std::max(v, 0.0F) + std::log1p(std::exp(-std::abs(v))); };
  const auto relu6 = [](float v) { return v > 0 ? std::min(v, 6.0F) : 0.0F; };
  if (op == "relu") return x > 0 ? x : 0.0F;
  if (op == "relu6") return relu6(x);
  if (op == "leaky_relu") return x > 0 ? x : x * attribute("slope", 0.01);
  if (op == "clip" || op == "hard_tanh") return std::min(std::max(x, attribute("low", -1)), attribute("high", 1));
  if (op == "elu") return x > 0 ? x : attribute("alpha", 1) * std::expm1(x);
  if (op == "silu") return x / (1.0F + std::exp(-x));
  if (op == "softplus") return softplus(x);
  if (op == "mish") return x * std::tanh(softplus(x));
  if (op == "negate") return -x;
  if (op == "abs") return std::abs(x);
  if (op == "square") return x * x;
  if (op == "sqrt") return std::sqrt(x);
  if (op == "exp") return std::exp(x);
  if (op == "log") return std::log(x);
  if (op == "sigmoid") return 1.0F / (1.0F + std::exp(-x));
  if (op == "tanh") return std::tanh(x);
  if (op == "hard_sigmoid") return relu6(x + 3.0F) / 6.0F;
  if (op == "hard_swish") return x * relu6(x + 3.0F) / 6.0F;
  return 0.5F * x * (1.0F + std::erf(x * 0.70710678F));
}
Tensor activation(const Step& s) {
  Tensor y("f32", s[0].shape);
  for (std::size_t i = 0; i < y.values.size(); ++i) {
    y.values[i] = static_cast<double>(activated(s, real(s[0].values[i])));
  }
  return y;
}

Tensor prelu(const Step& s) {
  Tensor y("f32", s[0].shape);
  each(y.shape, [&](const Shape& i) {
    const float x = real(s[0].at(i));
    y.at(i) = static_cast<double>(x > 0 ? x : x * real(of_channel(s[1], i, 1)));
  });
  return y;
}

Tensor softmax(const Step& s) {
  const std::size_t axis = s.axis(s.number("axis", -1), s[0].shape.size());
  Tensor y("f32", s[0].shape);
  each(y.shape, [&](const Shape& i) {
    Shape at = i;
    double m = -std::numeric_limits<double>::infinity();
    double sum = 0;
    for (at[axis] = 0; at[axis] < y.shape[axis]; ++at[axis]) m = std::max(m, s[0].at(at));
    for (at[axis] = 0; at[axis] < y.shape[axis]; ++at[axis]) sum += std::exp(s[0].at(at) - m);
    y.at(i) = s.op() == "softmax" ? std::exp(s[0].at(i) - m) / sum : s[0].at(i) - (m + std::log(sum));
  });
  return y;
}

Tensor normalized_by_row(const Step& s) {
  Tensor y("f32", s[0].shape);
  const Shape& shape = y.shape;
  const std::size_t first = s.op() == "layer_norm" ? s.axis(s.number("axis", -1), shape.size()) : 2;
  const std::int64_t in_group = s.op() == "group_norm" ? shape[1] / whole(s.number("groups")) : 1;
  const auto same_row = [&](const Shape& a, const Shape& b) {
    if (s.op() == "layer_norm") return std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(first), b.begin());
    return a[0] == b[0] && a[1] / in_group == b[1] / in_group;
  };
  each(shape, [&](const Shape& i) {
    double sum = 0;
    double squares = 0;
    double n = 0;
    each(shape, [&](const Shape& other) {
      if (!same_row(i, other)) return;
      sum += s[0].at(other);
      squares += s[0].at(other) * s[0].at(other);
      ++n;
    });
    const double m = sum / n;
    const Shape parameter = s.op() == "layer_norm" ? Shape(i.begin() + static_cast<std::ptrdiff_t>(first), i.end()) : Shape{i[1]};
    y.at(i) = (s[0].at(i) - m) / std::sqrt(squares / n - m * m + s.number("eps", 1e-5)) * s[1].at(parameter) + s[2].at(parameter);
  });
  return y;
}

}  // namespace

void float_ops(Ops& ops) {
  for (const char* name : {"add", "sub", "mul", "div"}) ops[name] = one(arithmetic);
  ops["prelu"] = one(prelu);
  for (const char* name : {"batch_norm_inference", "channel_affine"}) ops[name] = one(normalized);
  for (const char* name :
       {"relu", "relu6", "clip", "hard_tanh", "leaky_relu", "hard_sigmoid", "hard_swish", "negate", "abs", "square", "sqrt"})
    ops[name] = one(activation);
  for (const char* name : {"sigmoid", "tanh", "gelu", "elu", "silu", "softplus", "mish", "exp", "log"}) ops[name] = one(activation, false);
  for (const char* name : {"softmax", "log_softmax"}) ops[name] = one(softmax, false);
  for (const char* name : {"layer_norm", "group_norm", "instance_norm"}) ops[name] = one(normalized_by_row, false);
}

}  // namespace reader

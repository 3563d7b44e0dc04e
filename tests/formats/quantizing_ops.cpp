#include "tests/formats/step.h"

namespace reader {
namespace {

struct Range {
  std::int64_t lo, hi;
};
/// lo and hi, or the operand `range`.
Range range_of(const Step& s, std::size_t operand) {
  if (s.has(operand)) return {whole(s[operand].values.at(0)), whole(s[operand].values.at(1))};
  return {whole(s.number("lo")), whole(s.number("hi"))};
}
Tensor quantized(const Step& s, const Shape& shape) {
  return {s.number("lo") >= 0 ? "u8" : "s8", shape};
}

/// Q(t; z, lo, hi)
double requantized(float t, std::int64_t z, Range range) {
  const auto a = static_cast<float>(range.lo - z);
  const auto b = static_cast<float>(range.hi - z);
  const float clamped = !(t >= a) ? a : t > b ? b : t;
  const float floor = std::floor(clamped);  // to nearest, ties to even, by hand
  const float rest = clamped - floor;
  const bool up = rest > 0.5F || (rest == 0.5F && std::fmod(floor, 2.0F) != 0.0F);
  return static_cast<double>(z + static_cast<std::int64_t>(floor) + (up ? 1 : 0));
}
double clamped(std::int64_t q, Range range) {
  return static_cast<double>(std::min(std::max(q, range.lo), range.hi));
}

/// floor(a / 2^n)
std::int64_t floor_shift(std::int64_t a, std::int64_t n) {
  const std::int64_t d = std::int64_t{1} << n;
  return a / d - (a % d < 0 ? 1 : 0);
}

/// MUL(x, mantissa, shift)
std::int64_t fixed_product(std::int64_t x, std::int64_t mantissa, std::int64_t shift) {
  if (shift > 0) x = std::min(std::max(x * (std::int64_t{1} << shift), int32_low), int32_high);
  const std::int64_t r = floor_shift(x * mantissa + (std::int64_t{1} << 30), 31);
  if (shift >= 0) return r;
  const std::int64_t magnitude = floor_shift(std::abs(r) + (std::int64_t{1} << (-shift - 1)), -shift);
  return r < 0 ? -magnitude : magnitude;
}

Tensor quantize(const Step& s) {
  Tensor q = quantized(s, s[0].shape);
  const std::size_t axis = s.axis(s.number("axis", 0), q.shape.size());
  each(q.shape,
       [&](const Shape& i) { q.at(i) = requantized(real(s[0].at(i)) / real(of_channel(s[1], i, axis)), s.scalar(2), range_of(s, 99)); });
  return q;
}

Tensor dequantize(const Step& s) {
  Tensor x("f32", s[0].shape);
  const std::size_t axis = s.axis(s.number("axis", 0), x.shape.size());
  each(x.shape, [&](const Shape& i) {
    x.at(i) = static_cast<double>(real(s[0].at(i) - static_cast<double>(s.scalar(2))) * real(of_channel(s[1], i, axis)));
  });
  return x;
}

/// acc + q_b as int32 and b', of which one is 0.
struct Biased {
  std::int64_t sum;
  bool real_bias;
  float bias = 0;

  Biased(const Step& s, std::size_t operand, const Shape& i, std::size_t axis)
      : sum(whole(s[0].at(i))), real_bias(s.has(operand) && s[operand].element == "f32") {
    if (!s.has(operand)) return;
    const double b = of_channel(s[operand], i, axis);
    if (real_bias) {
      bias = real(b);
    } else {
      sum = whole(sum32(sum + whole(b)));
    }
  }
};

Tensor requantize(const Step& s) {
  Tensor q = quantized(s, s[0].shape);
  const std::size_t axis = s.axis(s.number("axis", 1), q.shape.size());
  each(q.shape, [&](const Shape& i) {
    const Biased acc(s, 3, i, axis);
    float t = static_cast<float>(acc.sum) * real(of_channel(s[1], i, axis));
    if (acc.real_bias) t = t + acc.bias;
    q.at(i) = requantized(t, s.scalar(2), range_of(s, 4));
  });
  return q;
}

Tensor requantize_fixed(const Step& s) {
  Tensor q = quantized(s, s[0].shape);
  const std::size_t axis = s.axis(s.number("axis", 1), q.shape.size());
  each(q.shape, [&](const Shape& i) {
    const Biased acc(s, 4, i, axis);
    const std::int64_t mantissa = whole(of_channel(s[1], i, axis));
    const std::int64_t shift = whole(of_channel(s[2], i, axis));
    if (acc.real_bias) {
      const float scaled = static_cast<float>(fixed_product(acc.sum, mantissa, std::min<std::int64_t>(shift + 8, 31))) * 0x1p-8F;
      q.at(i) = requantized(scaled + acc.bias, s.scalar(3), range_of(s, 5));
    } else {
      q.at(i) = clamped(fixed_product(acc.sum, mantissa, shift) + s.scalar(3), range_of(s, 5));
    }
  });
  return q;
}

Tensor dequantize_accumulator(const Step& s) {
  Tensor y("f32", s[0].shape);
  const std::size_t axis = s.axis(s.number("axis", 1), y.shape.size());
  each(y.shape, [&](const Shape& i) {
    const Biased acc(s, 2, i, axis);
    const float scaled = static_cast<float>(acc.sum) * real(of_channel(s[1], i, axis));
    y.at(i) = static_cast<double>(acc.real_bias ? scaled + acc.bias : scaled);
  });
  return y;
}

Tensor lookup(const Step& s) {
  Tensor y(s[1].element, s[0].shape);
  for (std::size_t i = 0; i < y.values.size(); ++i) {
    y.values[i] = s[1].values.at(static_cast<std::size_t>(s[0].values[i] + (s[0].element == "s8" ? 128 : 0)));
  }
  return y;
}

Tensor softmax_rows(const Step& s) {
  Tensor y = quantized(s, s[0].shape);
  const std::size_t axis = s.axis(s.number("axis", -1), y.shape.size());
  each(y.shape, [&](const Shape& i) {
    Shape at = i;
    std::int64_t largest = -128;
    const auto row = [&](auto&& body) {
      for (at[axis] = 0; at[axis] < y.shape[axis]; ++at[axis]) body(whole(s[0].at(at)));
    };
    const auto entry = [&](std::int64_t q) { return whole(s[1].values.at(static_cast<std::size_t>(largest - q))); };
    row([&](std::int64_t q) { largest = std::max(largest, q); });
    std::int64_t sum = 0;
    row([&](std::int64_t q) { sum += entry(q); });
    const std::int64_t factor = s.scalar(2) * (std::int64_t{1} << 25) / std::max(sum, std::int64_t{1} << 24);
    const std::int64_t e = 56 - s.scalar(3);
    const std::int64_t quotient = e > 57 ? 0 : floor_shift(entry(whole(s[0].at(i))) * factor + (std::int64_t{1} << (e - 1)), e);
    y.at(i) = clamped(s.scalar(4) + quotient, range_of(s, 99));
  });
  return y;
}

std::int64_t root(std::int64_t w) {
  std::int64_t low = 0;
  std::int64_t high = std::int64_t{1} << 31;
  while (high - low > 1) {
    const std::int64_t middle = (low + high) / 2;
    (middle * middle <= w ? low : high) = middle;
  }
  return low;
}

Tensor normalized_rows(const Step& s) {
  Tensor y = quantized(s, s[0].shape);
  const auto size = [](const Tensor& tensor) { return static_cast<std::int64_t>(tensor.values.size()); };
  const std::int64_t parameters = size(s[1]);
  // layer_norm_integer: a row has all parameters, each for one element.
  const bool channels = s.op() == "group_norm_integer";
  const std::int64_t behind = channels ? size(y) / (y.shape[0] * parameters) : 1;
  const std::int64_t n = channels ? parameters / whole(s.number("groups")) * behind : parameters;
  const std::int64_t one = 1;
  std::int64_t a = 23;
  while (n > one << (23 - a)) --a;
  for (std::int64_t first = 0; first < size(y); first += n) {
    const auto q = [&](std::int64_t i) { return whole(s[0].values.at(static_cast<std::size_t>(first + i))); };
    std::int64_t sum = 0;
    std::int64_t squares = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      sum += q(i);
      squares += q(i) * q(i);
    }
    const std::int64_t variance = n * squares - sum * sum;
    const std::int64_t shift = s.scalar(5);
    const std::int64_t epsilon = shift < 0 ? floor_shift(s.scalar(4), -shift) : s.scalar(4) * (one << shift);
    std::int64_t w = variance * (one << 2 * a) + std::max(one, epsilon);
    std::int64_t j = 0;
    for (; w < one << 60; ++j) w *= 4;
    const std::int64_t factor = (one << 60) / root(w);
    const std::int64_t t = 44 - a - j;
    for (std::int64_t i = 0; i < n; ++i) {
      const std::int64_t h = variance == 0 ? 0 : floor_shift((n * q(i) - sum) * factor + (one << (t - 1)), t);
      const auto p = static_cast<std::size_t>((first + i) / behind % parameters);
      const std::int64_t scaled = h * whole(s[1].values.at(p)) + whole(s[2].values.at(p)) * (one << 16);
      const std::int64_t k = s.scalar(3);
      y.values[static_cast<std::size_t>(first + i)] =
          clamped(s.scalar(6) + floor_shift(scaled + (one << (k + 15)), k + 16), range_of(s, 99));
    }
  }
  return y;
}

Tensor point_binary(const Step& s) {
  return pairs(quantized(s, broadcast(s[0].shape, s[1].shape)), s, [&](double a, double b) {
    const float u = real(a - static_cast<double>(s.scalar(3))) * s.real_scalar(2);
    const float v = real(b - static_cast<double>(s.scalar(5))) * s.real_scalar(4);
    return requantized(combined(s.text("function", ""), u, v) / s.real_scalar(6), s.scalar(7), range_of(s, 8));
  });
}

Tensor fixed_binary(const Step& s) {
  const auto m = [&](std::int64_t x, std::size_t i) { return fixed_product(x, whole(s[4].values.at(i)), whole(s[5].values.at(i))); };
  return pairs(quantized(s, broadcast(s[0].shape, s[1].shape)), s, [&](double a, double b) {
    const std::int64_t u = whole(a) - s.scalar(2);
    const std::int64_t v = whole(b) - s.scalar(3);
    std::int64_t r = 0;
    if (s.op() == "mul_fixed") {
      r = m(u * v, 0);
    } else {
      const std::int64_t rb = m(v * 1048576, 1);
      r = m(m(u * 1048576, 0) + (s.flag("subtract") ? -rb : rb), 2);
    }
    return clamped(r + s.scalar(6), range_of(s, 7));
  });
}

}  // namespace

void quantizing_ops(Ops& ops) {
  ops["quantize"] = one(quantize);
  ops["dequantize"] = one(dequantize);
  ops["requantize"] = one(requantize);
  ops["requantize_fixed"] = one(requantize_fixed);
  ops["dequantize_accumulator"] = one(dequantize_accumulator);
  ops["lookup"] = one(lookup);
  ops["softmax_integer"] = one(softmax_rows);
  for (const char* name : {"layer_norm_integer", "group_norm_integer"}) ops[name] = one(normalized_rows);
  ops["point_binary"] = one(point_binary);
  ops["add_fixed"] = one(fixed_binary);
  ops["mul_fixed"] = one(fixed_binary);
}

}  // namespace reader

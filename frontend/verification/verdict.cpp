#include "frontend/verification/verdict.h"

#include <cmath>
#include <limits>

#include "frontend/verification/exact_integers.h"
#include "frontend/verification/float_bounds.h"

namespace stair::verification {

Verdict number_verdict(double found, double expected, double error) {
  return {std::abs(found - expected) <= error + 0x1p-149, expected};
}

Verdict integer_verdict(std::int64_t found, double t, double error, double low, double high) {
  const double room = error + 0x1p-40 * (1 + std::abs(t));
  const std::int64_t least = exact::nearest(t - room, low, high);
  const std::int64_t most = exact::nearest(t + room, low, high);
  const std::int64_t nearest = exact::nearest(t, low, high);
  const bool right = found >= least && found <= most;
  return {right, static_cast<double>(nearest), right && found != nearest};
}

bool is_power_of_two(double x) {
  int exponent = 0;
  return std::frexp(x, &exponent) == 0.5;
}

Verdict scale_verdict(double found, double size, double steps, double error, bool power_of_two) {
  const double exact_scale = size / steps;
  const double off = error / steps + 2 * float_unit * exact_scale;
  if (exact_scale - off < 0x1p-126 && found == 1) return {true, 1};  // an empty range
  if (exact_scale > static_cast<double>(std::numeric_limits<float>::max())) return {found > 0x1p125, exact_scale};
  if (!power_of_two) return number_verdict(found, exact_scale, off);
  return {is_power_of_two(found) && found >= exact_scale - off && found / 2 < exact_scale + off,
          std::exp2(std::ceil(std::log2(exact_scale)))};
}

void count(Judgement& into, std::int64_t index, const Verdict& verdict, double found) {
  ++into.elements;
  if (verdict.near_tie) ++into.near_ties;
  if (verdict.right) return;
  ++into.wrong;
  if (!into.first) into.first = Difference{into.node, into.what, -1, index, verdict.expected, found};
}

void count_fixed(Judgement& into, std::int64_t index, std::int64_t mantissa, std::int64_t shift, double m) {
  const auto found = static_cast<double>(mantissa);
  int exponent = 0;
  double expected = m > 0 ? std::nearbyint(std::frexp(m, &exponent) * 0x1p31) : 0;
  if (expected == 0x1p31) {
    expected /= 2;
    ++exponent;
  }
  if (!(m > 0) || exponent < -31) return count(into, index, {mantissa == 0, 0}, found);
  if (exponent > 30) return count(into, index, {found == 0x1p31 - 1 && shift == 30, 0x1p31 - 1}, found);
  count(into, index, {found == expected && shift == exponent, std::ldexp(expected, exponent - 31)},
        std::ldexp(found, static_cast<int>(shift) - 31));
}

}  // namespace stair::verification

#include "frontend/verification/site_check.h"

#include <algorithm>
#include <cmath>

#include "frontend/verification/exact_integers.h"
#include "frontend/verification/judge_constants.h"
#include "ir/op.h"

namespace stair::verification {

std::int64_t ByChannel::integer(std::int64_t c) const {
  return integer_at(tensor, of(c));
}

SiteCheck::SiteCheck(const JudgeSite& its, const Judge::Values& from, const runtime::Executor& executor)
    : site(its),
      values(from),
      scale(its.integers.scale == ir::absent ? 1 : static_cast<double>(from(its.integers.scale).as<float>()[0])),
      zero_point(its.integers.zero_point == ir::absent ? 0 : integer_at(from(its.integers.zero_point), 0)),
      executor_(executor),
      floor_{static_cast<double>(its.range.lo - zero_point), static_cast<double>(its.range.lo - zero_point)},
      ceiling_{static_cast<double>(its.range.hi - zero_point), static_cast<double>(its.range.hi - zero_point)} {
  if (site.clamp == nullptr) return;
  // A bound in steps, as the bound and the quotient may be rounded, within the quantizer's range.
  const auto end = [&](double bound) {
    const double steps = bound / scale;
    const double error = 2 * float_unit * std::abs(steps);
    const auto limited = [&](double t) { return std::clamp(std::nearbyint(t), floor_.least, ceiling_.most); };
    return End{limited(steps - error), limited(steps + error)};
  };
  const ir::OpSchema::Clamp clamp = *clamp_by(*site.clamp);
  const End low = end(*clamp.low);
  if (clamp.high) ceiling_ = end(*clamp.high);
  floor_ = low;
}

const double* SiteCheck::computed(const std::string& output) const {
  return output.empty() ? nullptr : executor_.output(output).as<double>();
}

Interval SiteCheck::around(double t, double error) const {
  const double room = error + 0x1p-40 * (1 + std::abs(t));
  return {zero_point + exact::nearest(t - room, floor_.least, ceiling_.least), zero_point + exact::nearest(t, floor_.most, ceiling_.most),
          zero_point + exact::nearest(t + room, floor_.most, ceiling_.most)};
}

std::pair<std::int64_t, std::int64_t> SiteCheck::range() const {
  const ir::ValueId narrowed = operand_named(*site.made, "range");
  if (narrowed == ir::absent) return {site.range.lo, site.range.hi};
  return {integer_at(values(narrowed), 0), integer_at(values(narrowed), 1)};
}

}  // namespace stair::verification

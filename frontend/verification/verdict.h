#pragma once

#include <cstdint>

#include "frontend/verification/judge.h"

namespace stair::verification {

/// What is said of one element.
struct Verdict {
  bool right = false;
  double expected = 0;
  bool near_tie = false;  ///< right, and not what double precision rounds to
};

/// A number within `error` of what is expected.
Verdict number_verdict(double found, double expected, double error);
/// An integer between the roundings of t - error and t + error, of which double precision itself has its share.
Verdict integer_verdict(std::int64_t found, double t, double error, double low, double high);
/// A scale that is size / steps, where size is that to within `error` (N-PARAM).
Verdict scale_verdict(double found, double size, double steps, double error, bool power_of_two);
bool is_power_of_two(double x);

/// Adds an element to what is said of its value.
void count(Judgement& into, std::int64_t index, const Verdict& verdict, double found);
/// The same of mantissa * 2^(shift - 31), which has to be the nearest to m (N-REQ-FIXED).
void count_fixed(Judgement& into, std::int64_t index, std::int64_t mantissa, std::int64_t shift, double m);

}  // namespace stair::verification

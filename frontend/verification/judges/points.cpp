#include <cmath>

#include "frontend/verification/site_check.h"

// N-QUANT, and N-POINT of two operands with float requantization: e = e(x) / s_y + u |t|.

namespace stair::verification::judges {
namespace {

Expected rounded_floats(const SiteCheck& check) {
  const double* x = check.computed(check.site.number.value);
  const double* error = check.computed(check.site.number.error);
  return [=](std::int64_t i) {
    const double t = x[i] / check.scale;
    return check.around(t, (error == nullptr ? 0 : error[i] / check.scale) + float_unit * std::abs(t));
  };
}

}  // namespace

void points(OpJudgeRegistry& registry) {
  for (const char* op : {"quantize", "point_binary"}) {
    registry.add({.name = op, .activations = OpJudge::Activations{.expected = rounded_floats}});
  }
}

}  // namespace stair::verification::judges

#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "frontend/verification.h"

namespace stair::driver {

/// What a person reads: a line a comparison, the first difference of each, and the verdict.
std::string describe(const Verification& report);

/// The same for scripts: images, elements, mismatches, off_by_one, off_by_more, holds, comparisons, quantizers.
nlohmann::ordered_json to_json(const Verification& report);

}  // namespace stair::driver

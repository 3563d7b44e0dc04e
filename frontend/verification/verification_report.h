#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "frontend/verification/verification.h"

namespace stair::verification {

/// What a person reads: a line a comparison, the first difference of each, and the verdict.
std::string describe(const Verification& report);

/// The same for scripts: holds, images, elements, mismatches, judged, near_ties, wrong, what is unchecked, comparisons, judgements.
nlohmann::ordered_json to_json(const Verification& report);

}  // namespace stair::verification

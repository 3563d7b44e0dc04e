#pragma once

#include <string>

#include "frontend/readers/experiment.h"

namespace stair::stages {

/// A line that names the parameters which only outputs without a loss read, so that nothing trains them; "" where there are none.
std::string untrained_parameters(const readers::Experiment& experiment);

}  // namespace stair::stages

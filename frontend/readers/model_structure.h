#pragma once

#include <cstddef>
#include <functional>
#include <set>
#include <string>

#include "frontend/readers/json_file.h"
#include "frontend/readers/model_faults.h"

namespace stair::readers {

inline constexpr std::size_t most_layers = 10'000;  ///< of a model, blocks and their repetitions counted out
inline constexpr int most_nested = 16;              ///< blocks within blocks

/// All that can be said of a model JSON before layers are made: types of names, inputs and blocks, so that its reader may take them as
/// they are. Error as ModelFaults says it.
void check_structure(const Json& model, const ModelFaults& faults);

/// The names that the user gives to layers, with those of the blocks around them, of a model whose structure has been checked. Of models
/// that are too large or nested too deep: some.
std::set<std::string, std::less<>> given_names(const Json& model);

}  // namespace stair::readers

#pragma once

#include <string>

#include "frontend/json_file.h"

namespace stair::driver {

enum class Schema { model, experiment };

/// Validates with the JSON Schema of frontend/schemas. Error "SOURCE POINTER: found …, expected … (nearest name)".
void validate(const Json& value, Schema schema, const std::string& source);

}  // namespace stair::driver

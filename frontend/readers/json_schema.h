#pragma once

#include <string>
#include <vector>

#include "frontend/readers/json_file.h"
#include "ir/attribute_spec.h"

namespace stair::readers {

/// What `stair schema` prints: "experiment" and "model".
std::vector<std::string> schema_names();

/// A JSON Schema (draft 7) of a file that users write, from the same specs that read it: editors complete its keys with it.
Json json_schema(const std::string& name);

}  // namespace stair::readers

#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace stair::ir {

using Json = nlohmann::ordered_json;

/// JSON as all rooms read it: texts of a user, of a file's header, of its metadata. Error "SOURCE:LINE:COLUMN: …" where it isn't JSON,
/// "SOURCE: …" where an object has a key twice, a number is beyond what a double holds, or it is nested more than 100 deep: what works
/// on a value recursively (copies, dump(), the schema's validator) then stays far from the end of the stack.
Json parse_json(std::string_view text, const std::string& source);

}  // namespace stair::ir

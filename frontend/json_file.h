#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace stair::driver {

using Json = nlohmann::ordered_json;

/// Reads JSON. Error "FILE:LINE:COLUMN: …" where it isn't JSON or an object has a key twice.
Json load_json(const std::string& path);
/// The same from text; `source` names it in errors.
Json parse_json(const std::string& text, const std::string& source);

/// `--set path=value`: sets the value at a dotted path ("stages.0.epochs=1"); the value is JSON, or else a text. Error where the path leads
/// through what isn't there.
void set_value(Json& json, const std::string& assignment);

}  // namespace stair::driver

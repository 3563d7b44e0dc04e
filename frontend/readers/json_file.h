#pragma once

#include <string>

#include "ir/json.h"

namespace stair::readers {

using ir::Json;
using ir::parse_json;

/// Reads a file of JSON, with the errors of ir::parse_json.
Json load_json(const std::string& path);

/// As text for people and scripts, a level of `indent` blanks a line (-1: all in one). What isn't UTF-8 (the name of a file) becomes
/// U+FFFD.
std::string to_text(const Json& json, int indent = -1);

/// `--set path=value`: sets the value at a dotted path ("stages.0.epochs=1"); the value is JSON, or else a text. Error where the path leads
/// through what isn't there.
void set_value(Json& json, const std::string& assignment);

}  // namespace stair::readers

#include "frontend/readers/json_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "ir/error.h"
#include "runtime/file.h"

namespace stair::readers {

Json load_json(const std::string& path) {
  return parse_json(runtime::read_file(path), path);
}

std::string to_text(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

void set_value(Json& json, const std::string& assignment) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0) throw Error("--set " + assignment + ": expected path=value, like stages.0.epochs=1");
  Json* at = &json;
  std::string path = assignment.substr(0, equals) + ".";
  while (!path.empty()) {
    const std::string key = path.substr(0, path.find('.'));
    path.erase(0, key.size() + 1);
    if (at->is_array()) {
      const bool index = !key.empty() && key.size() < 7 && std::all_of(key.begin(), key.end(), [](char c) { return c >= '0' && c <= '9'; });
      if (!index || std::stoul(key) >= at->size()) {
        throw Error(fmt::format("--set {}: '{}' is no index of a list of {}", assignment, key, at->size()));
      }
      at = &(*at)[std::stoul(key)];
    } else if (at->is_object() || at->is_null()) {
      at = &(*at)[key];
    } else {
      throw Error("--set " + assignment + ": there is nothing below '" + at->dump() + "'");
    }
  }
  const std::string text = assignment.substr(equals + 1);
  *at = Json::accept(text) ? parse_json(text, "--set " + assignment) : Json(text);
  try {
    static_cast<void>(at->dump());
  } catch (const Json::type_error&) {
    throw Error("--set " + assignment + ": isn't UTF-8");
  }
}

}  // namespace stair::readers

#include "frontend/json_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

#include "ir/error.h"
#include "runtime/file.h"

namespace stair::driver {
namespace {

// What reads JSON recursively (the schema's validator, dump()) stays far from the end of the stack.
constexpr int deepest = 100;

// "LINE:COLUMN" of a byte.
std::string place_of(const std::string& text, std::size_t byte) {
  byte = std::min(byte, text.size());
  const auto line = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(byte), '\n') + 1;
  const std::size_t newline = byte == 0 ? std::string::npos : text.rfind('\n', byte - 1);
  return fmt::format("{}:{}", line, newline == std::string::npos ? byte + 1 : byte - newline);
}

// What nlohmann's message says behind its own number and place: "syntax error while parsing value - …".
std::string reason_of(const std::string& message) {
  std::size_t at = message.find(": ");
  if (at == std::string::npos) at = message.find("] ");
  return at == std::string::npos ? message : message.substr(at + 2);
}

}  // namespace

Json parse_json(const std::string& text, const std::string& source) {
  std::vector<std::set<std::string>> keys;
  const Json::parser_callback_t watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > deepest) throw Error(fmt::format("{}: is nested more than {} deep", source, deepest));
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second) {
      throw Error(source + ": the key '" + parsed.get<std::string>() + "' stands twice in one object");
    }
    return true;
  };
  try {
    return Json::parse(text, watch);
  } catch (const Json::parse_error& error) {
    throw Error(
        fmt::format("{}:{}: is not JSON: {}", source, place_of(text, error.byte == 0 ? 0 : error.byte - 1), reason_of(error.what())));
  } catch (const Json::out_of_range& error) {
    throw Error(source + ": is not JSON: " + reason_of(error.what()));  // a number that no double holds
  }
}

Json load_json(const std::string& path) {
  return parse_json(runtime::read_file(path), path);
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

}  // namespace stair::driver

#include "ir/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

#include "ir/error.h"

namespace stair::ir {
namespace {

using nlohmann::ordered_json;

constexpr int deepest = 100;

// "LINE:COLUMN" of a byte.
std::string place_of(std::string_view text, std::size_t byte) {
  byte = std::min(byte, text.size());
  const auto line = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(byte), '\n') + 1;
  const std::size_t newline = byte == 0 ? std::string_view::npos : text.rfind('\n', byte - 1);
  return fmt::format("{}:{}", line, newline == std::string_view::npos ? byte + 1 : byte - newline);
}

// What nlohmann's message says behind its own number and place: "syntax error while parsing value - …".
std::string reason_of(const std::string& message) {
  std::size_t at = message.find(": ");
  if (at == std::string::npos) at = message.find("] ");
  return at == std::string::npos ? message : message.substr(at + 2);
}

}  // namespace

ordered_json parse_json(std::string_view text, const std::string& source) {
  std::vector<std::set<std::string>> keys;
  const ordered_json::parser_callback_t watch = [&](int depth, ordered_json::parse_event_t event, ordered_json& parsed) {
    using Event = ordered_json::parse_event_t;
    if (depth > deepest) throw Error(fmt::format("{}: is nested more than {} deep", source, deepest));
    if (event == Event::object_start) keys.emplace_back();
    if (event == Event::object_end) keys.pop_back();
    if (event == Event::key && !keys.back().insert(parsed.get<std::string>()).second) {
      throw Error(source + ": the key '" + parsed.get<std::string>() + "' stands twice in one object");
    }
    return true;
  };
  try {
    return ordered_json::parse(text, watch);
  } catch (const ordered_json::parse_error& error) {
    throw Error(
        fmt::format("{}:{}: is not JSON: {}", source, place_of(text, error.byte == 0 ? 0 : error.byte - 1), reason_of(error.what())));
  } catch (const ordered_json::out_of_range& error) {
    throw Error(source + ": is not JSON: " + reason_of(error.what()));  // a number that no double holds
  }
}

}  // namespace stair::ir

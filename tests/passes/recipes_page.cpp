#include <doctest/doctest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "passes/recipe.h"

using namespace stair;

namespace {

// What the page's table of keys says of each key's values: the text of the second column.
std::map<std::string, std::string> rows() {
  std::ifstream page(STAIR_SOURCE_DIR "/docs/recipes.md");
  std::map<std::string, std::string> all;
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("| `")) continue;
    const std::size_t key = line.find('`', 3);
    const std::size_t values = line.find("| ", key) + 2;
    all[line.substr(3, key - 3)] = line.substr(values, line.find(" |", values) - values);
  }
  return all;
}

// A key's default as the page writes it, which comes first.
std::string written(const nlohmann::json& value) {
  if (value.is_string()) return "`" + value.dump() + "`";
  if (value.is_number() && value.get<double>() < 0) return "\u2212" + std::to_string(static_cast<int>(-value.get<double>()));
  if (value.is_number_float() && value.get<double>() == 0) return "0";
  return value.dump();
}

void check_keys(const nlohmann::json& object, const std::string& prefix, std::map<std::string, std::string>& described) {
  for (const auto& item : object.items()) {
    const nlohmann::json& value = item.value();
    const std::string path = prefix + item.key();
    if (value.is_object()) {
      check_keys(value, path + ".", described);
      continue;
    }
    INFO(path << ": the page says '" << described[path] << "', the default is " << value);
    if (path != "name") CHECK(described[path].starts_with(written(value)));
    described.erase(path);
  }
}

}  // namespace

TEST_CASE("docs/recipes.md has every key of a recipe with its default") {
  std::map<std::string, std::string> described = rows();
  check_keys(nlohmann::json::parse(passes::to_json(passes::Recipe{})), "", described);
  described.erase("base");
  for (const auto& left : described) CHECK_MESSAGE(false, "no recipe has the key '" << left.first << "'");
}

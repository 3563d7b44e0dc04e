#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <map>
#include <set>
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

std::set<std::string> checked;

// A key's default as the page writes it, which comes first; what isn't a single value, or follows from others, isn't compared.
std::string written(const ir::AttributeSpec& spec) {
  if (const auto* text = std::get_if<std::string>(&spec.fallback)) return "`\"" + *text + "\"`";
  if (const auto* yes = std::get_if<bool>(&spec.fallback)) return *yes ? "true" : "false";
  if (const auto* integer = std::get_if<std::int64_t>(&spec.fallback)) return std::to_string(*integer);
  const auto* number = std::get_if<double>(&spec.fallback);
  if (number == nullptr) return "";
  return (*number < 0 ? "\u2212" : "") + fmt::format("{}", std::abs(*number));
}

void check_keys(const std::vector<ir::AttributeSpec>& specs, const std::string& prefix, std::map<std::string, std::string>& described) {
  for (const ir::AttributeSpec& spec : specs) {
    const std::string path = prefix + spec.name;
    if (std::holds_alternative<ir::Object>(spec.fallback)) {
      check_keys(spec.members, path + ".", described);
      if (spec.kinds == nullptr) continue;
      const std::string key = path + "." + spec.kind_key;
      for (const ir::KindSpec& kind : spec.kinds()) {
        CAPTURE(key);
        CHECK_MESSAGE(described[key].find("`\"" + kind.name + "\"`") != std::string::npos, "the page has no '" << kind.name << "'");
        check_keys(kind.members, path + ".", described);
      }
      described.erase(key);
      continue;
    }
    if (!described.contains(path) && checked.contains(path)) continue;  // two kinds have it
    INFO(path << ": the page says '" << described[path] << "', the default is " << written(spec));
    if (path != "name") CHECK(described[path].starts_with(written(spec)));
    described.erase(path);
    checked.insert(path);
  }
}

}  // namespace

TEST_CASE("docs/recipes.md has every key of a recipe with its default") {
  std::map<std::string, std::string> described = rows();
  check_keys(ir::members_of(passes::recipe_spec(), "int8"), "", described);
  described.erase("base");
  for (const auto& left : described) CHECK_MESSAGE(false, "no recipe has the key '" << left.first << "'");
}

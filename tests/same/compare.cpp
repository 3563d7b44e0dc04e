#include "tests/same/compare.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <string_view>

namespace stair::tests {
namespace {

using nlohmann::json;

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes(std::filesystem::file_size(path), '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return bytes;
}

std::string shortened(const std::string& text) {
  constexpr std::size_t most = 200;
  return text.size() <= most ? text : text.substr(0, most) + "…";
}

std::string differing(const std::string& ours, const std::string& theirs) {
  return shortened(ours) + ", theirs " + shortened(theirs);
}

// What a file says of how long something took, and in how much memory or how many bytes: of the machine and of formats.
bool is_measured(const std::string& key) {
  return key == "seconds" || key == "images_per_s" || key == "peak_mib" || key == "artifact_bytes";
}

// "POINTER: found …", or "".
std::string json_difference(const json& ours, const json& theirs, const std::string& pointer = "") {
  const std::string at = (pointer.empty() ? "/" : pointer) + ": ";
  if (ours.is_object() && theirs.is_object()) {
    std::set<std::string> keys;
    for (const auto& [key, value] : ours.items()) keys.insert(key);
    for (const auto& [key, value] : theirs.items()) keys.insert(key);
    for (const std::string& key : keys) {
      if (is_measured(key)) continue;
      const std::string here = pointer + "/" + key;
      if (!theirs.contains(key)) return here + ": " + differing(ours[key].dump(), "nothing");
      if (!ours.contains(key)) return here + ": " + differing("nothing", theirs[key].dump());
      std::string found = json_difference(ours[key], theirs[key], here);
      if (!found.empty()) return found;
    }
    return "";
  }
  if (ours.is_array() && theirs.is_array() && ours.size() == theirs.size()) {
    for (std::size_t i = 0; i < ours.size(); ++i) {
      std::string found = json_difference(ours[i], theirs[i], pointer + "/" + std::to_string(i));
      if (!found.empty()) return found;
    }
    return "";
  }
  return ours == theirs ? "" : at + differing(ours.dump(), theirs.dump());
}

std::string json_difference_of(const std::string& ours, const std::string& theirs) {
  if (ours == theirs) return "";
  const json one = json::parse(ours, nullptr, false);
  const json other = json::parse(theirs, nullptr, false);
  if (one.is_discarded() || other.is_discarded()) return differing(ours, theirs);
  return json_difference(one, other);
}

// A recipe as a value: keys of a method or observer that it hasn't chosen say nothing, and no list is one of nothing. Older programs wrote
// them all.
json recipe_value(json recipe) {
  if (!recipe.is_object()) return recipe;
  const bool binary = recipe["weights"]["method"] == "binary";
  for (const char* key : {"stochastic", "binary_inference"}) {
    if (!binary) recipe["weights"].erase(key);
  }
  for (const char* key : {"bits", "granularity", "narrow_range"}) {
    if (binary) recipe["weights"].erase(key);
  }
  if (recipe["activations"]["observer"] != "moving_average") recipe["activations"].erase("momentum");
  if (recipe.value("overrides", json::array()).empty()) recipe.erase("overrides");
  return recipe;
}

std::string recipe_difference(const std::string& ours, const std::string& theirs) {
  const json one = json::parse(ours, nullptr, false);
  const json other = json::parse(theirs, nullptr, false);
  if (one.is_discarded() || other.is_discarded()) return ours == theirs ? "" : differing(ours, theirs);
  return json_difference(recipe_value(one), recipe_value(other));
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string text_difference(const std::string& ours, const std::string& theirs) {
  if (ours == theirs) return "";
  const std::vector<std::string> one = lines_of(ours);
  const std::vector<std::string> other = lines_of(theirs);
  std::size_t at = 0;
  while (at < one.size() && at < other.size() && one[at] == other[at]) ++at;
  const auto line = [at](const std::vector<std::string>& lines) { return at < lines.size() ? "'" + lines[at] + "'" : "the end"; };
  return "line " + std::to_string(at + 1) + ": " + differing(line(one), line(other));
}

std::string lines_of_json_difference(const std::string& ours, const std::string& theirs) {
  const std::vector<std::string> one = lines_of(ours);
  const std::vector<std::string> other = lines_of(theirs);
  for (std::size_t i = 0; i < std::min(one.size(), other.size()); ++i) {
    const std::string found = json_difference_of(one[i], other[i]);
    if (!found.empty()) return "line " + std::to_string(i + 1) + " " + found;
  }
  return one.size() == other.size() ? "" : differing(std::to_string(one.size()) + " lines", std::to_string(other.size()));
}

struct Container {
  json header;
  std::string_view data;
};

// Its data are those of `bytes`.
std::optional<Container> container(const std::string& bytes) {
  std::uint64_t length = 0;
  if (bytes.size() < sizeof length) return std::nullopt;
  std::memcpy(&length, bytes.data(), sizeof length);
  if (length > bytes.size() - sizeof length) return std::nullopt;
  const std::string_view behind = std::string_view(bytes).substr(sizeof length);
  Container read{json::parse(behind.substr(0, length), nullptr, false), behind.substr(length)};
  if (!read.header.is_object()) return std::nullopt;
  return read;
}

std::string_view bytes_of(const Container& file, const json& tensor) {
  const auto begin = tensor["data_offsets"][0].get<std::size_t>();
  return file.data.substr(begin, tensor["data_offsets"][1].get<std::size_t>() - begin);
}

std::string type_of(const json& tensor) {
  return tensor["dtype"].get<std::string>() + tensor["shape"].dump();
}

template <class T>
std::string element(std::string_view bytes, std::size_t i) {
  T value{};
  std::memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
  std::ostringstream text;
  text.precision(9);
  text << +value;
  return text.str();
}

std::string element(const std::string& dtype, std::string_view bytes, std::size_t i) {
  if (dtype == "F32") return element<float>(bytes, i);
  if (dtype == "F64") return element<double>(bytes, i);
  if (dtype == "I32") return element<std::int32_t>(bytes, i);
  if (dtype == "I64") return element<std::int64_t>(bytes, i);
  return dtype == "I8" ? element<std::int8_t>(bytes, i) : element<std::uint8_t>(bytes, i);
}

// Of the first tensor, in the order of the names, that isn't the same.
std::string tensor_difference(const Container& ours, const Container& theirs) {
  std::set<std::string> names;
  for (const Container* file : {&ours, &theirs}) {
    for (const auto& [name, tensor] : file->header.items()) {
      if (name != "__metadata__") names.insert(name);
    }
  }
  for (const std::string& name : names) {
    const std::string at = "tensor '" + name + "': ";
    if (!theirs.header.contains(name)) return at + differing(type_of(ours.header[name]), "nothing");
    if (!ours.header.contains(name)) return at + differing("nothing", type_of(theirs.header[name]));
    const json& one = ours.header[name];
    if (type_of(one) != type_of(theirs.header[name])) return at + differing(type_of(one), type_of(theirs.header[name]));
    const std::string_view a = bytes_of(ours, one);
    const std::string_view b = bytes_of(theirs, theirs.header[name]);
    if (a == b) continue;
    const std::string dtype = one["dtype"];
    const std::size_t size = dtype.ends_with("64") ? 8 : dtype.ends_with("32") ? 4 : 1;
    std::size_t first = 0;
    while (a.compare(first * size, size, b, first * size, size) == 0) ++first;
    return at + type_of(one) + " element " + std::to_string(first) + ": " + differing(element(dtype, a, first), element(dtype, b, first));
  }
  return "";
}

// What version 2 of artifacts says of its inputs, as version 1 does of its only one.
void say_as_version_1(json& metadata) {
  const json inputs = json::parse(metadata.value("inputs", ""), nullptr, false);
  if (!inputs.is_object() || inputs.size() != 1) return;
  const json& input = inputs.front();
  const json preprocessing = input.value("preprocessing", json::object());
  if (preprocessing.value("kind", "") != "normalize") return;
  metadata.erase("inputs");
  if (input.contains("element")) metadata["images"] = input["element"];
  for (const char* key : {"mean", "std"}) metadata[key] = preprocessing.value(key, json::array()).dump();
}

class FolderComparison {
 public:
  FolderComparison(std::string ours, std::string theirs) : ours_(std::move(ours)), theirs_(std::move(theirs)) {}

  std::vector<Comparison> run() {
    std::set<std::string> names;
    for (const std::string& folder : {ours_, theirs_}) {
      for (const auto& entry : std::filesystem::directory_iterator(folder)) names.insert(entry.path().filename().string());
    }
    for (const std::string& name : names) {
      const bool here = std::filesystem::exists(ours_ + "/" + name);
      const bool there = std::filesystem::exists(theirs_ + "/" + name);
      add("files", name, here == there ? "" : differing(here ? "a file" : "nothing", there ? "a file" : "nothing"));
      if (here && there) compare(name, read(ours_ + "/" + name), read(theirs_ + "/" + name));
    }
    return std::move(made_);
  }

 private:
  void add(const std::string& kind, const std::string& place, const std::string& difference) { made_.push_back({kind, place, difference}); }

  void compare(const std::string& name, const std::string& ours, const std::string& theirs) {
    if (name.ends_with(".safetensors") || name.ends_with(".stair")) return compare_containers(name, ours, theirs);
    if (name == "metrics.jsonl") return add("metrics", name, lines_of_json_difference(ours, theirs));
    if (name == "config.json") return add("experiment", name, json_difference_of(ours, theirs));
    if (name == "summary.json") return compare_summaries(name, ours, theirs);
    if (name.ends_with(".json")) return add("results", name, json_difference_of(ours, theirs));
    if (name.ends_with(".training.txt") || name.ends_with(".report.txt") || name.ends_with(".lock")) return;
    if (name.ends_with(".out") || name.ends_with(".err")) return compare_said(name, ours, theirs);
    if (name.ends_with(".npy")) return add("bytes", name, ours == theirs ? "" : "other bytes");
    add("text", name, text_difference(ours, theirs));
  }

  // What a command printed: a recipe in it is a value, and a file of another recipe's length has another size.
  void compare_said(const std::string& name, std::string ours, std::string theirs) {
    const std::string one = cut_recipe(ours);
    const std::string other = cut_recipe(theirs);
    if (!one.empty() || !other.empty()) add("recipe", name, recipe_difference(one, other));
    static const std::regex size("[0-9]+ bytes");
    add("text", name, text_difference(std::regex_replace(ours, size, "N bytes"), std::regex_replace(theirs, size, "N bytes")));
  }

  // The recipe that `inspect` prints, which is taken out of the text; "" where there is none.
  static std::string cut_recipe(std::string& text) {
    const std::size_t begin = text.find("\nrecipe {");
    const std::size_t end = text.find("\n}\n", begin);
    if (begin == std::string::npos || end == std::string::npos) return "";
    std::string recipe = text.substr(begin + 8, end + 2 - begin - 8);
    text.erase(begin, end + 2 - begin);
    return recipe;
  }

  void compare_summaries(const std::string& name, const std::string& ours, const std::string& theirs) {
    json one = json::parse(ours, nullptr, false);
    json other = json::parse(theirs, nullptr, false);
    if (!one.is_object() || !other.is_object()) return add("results", name, text_difference(ours, theirs));
    add("recipe", name + " /recipe", json_difference(recipe_value(one["recipe"]), recipe_value(other["recipe"])));
    one.erase("recipe");
    other.erase("recipe");
    add("results", name, json_difference(one, other));
  }

  void compare_containers(const std::string& name, const std::string& ours, const std::string& theirs) {
    const std::optional<Container> one = container(ours);
    const std::optional<Container> other = container(theirs);
    const auto kind = [](const auto& read) { return read ? "a safetensors file" : "no safetensors file"; };
    if (!one || !other) return add("files", name, differing(kind(one), kind(other)));
    add("tensors", name, tensor_difference(*one, *other));
    compare_metadata(name, one->header.value("__metadata__", json::object()), other->header.value("__metadata__", json::object()));
  }

  // A newer version of the format may say more than theirs, but nothing less.
  void compare_metadata(const std::string& name, json ours, json theirs) {
    const bool same_version = ours.value("version", "") == theirs.value("version", "");
    if (!same_version) say_as_version_1(ours);
    for (const char* key : {"crc32", "version"}) {
      ours.erase(key);
      theirs.erase(key);
    }
    std::string rest;
    for (const auto& [key, value] : ours.items()) {
      if (same_version && !theirs.contains(key)) rest = key + ": " + differing("a text", "nothing");
    }
    for (const auto& [key, value] : theirs.items()) {
      const std::string other = value;
      const std::string one = ours.value(key, "");
      if (!ours.contains(key)) {
        rest = key + ": " + differing("nothing", "a text");
      } else if (key == "graph" || key == "model") {
        add("graph", name + " " + key, text_difference(one, other));
      } else if (key == "recipe") {
        add(key, name + " " + key, recipe_difference(one, other));
      } else if (key == "experiment") {
        add(key, name + " " + key, json_difference_of(one, other));
      } else {
        const std::string found = json_difference_of(one, other);
        if (!found.empty()) rest = key + " " + found;
      }
    }
    add("metadata", name, rest);
  }

  std::string ours_, theirs_;
  std::vector<Comparison> made_;
};

}  // namespace

std::vector<Comparison> compare_folders(const std::string& ours, const std::string& theirs) {
  return FolderComparison(ours, theirs).run();
}

}  // namespace stair::tests

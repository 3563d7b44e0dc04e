#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "ir/op.h"
#include "ir/scanner.h"

// What the pages say of the repository, where a program can tell whether it is so.

using namespace stair;
namespace fs = std::filesystem;

namespace {

const fs::path source = STAIR_SOURCE_DIR;

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<fs::path> pages() {
  std::vector<fs::path> all{source / "README.md", source / "CONTRIBUTING.md", source / "CHANGELOG.md"};
  for (const fs::directory_entry& entry : fs::directory_iterator(source / "docs")) {
    if (entry.path().extension() == ".md") all.push_back(entry.path());
  }
  return all;
}

// The text without its fenced blocks and `code`, which hold no links.
std::string prose(const std::string& text) {
  std::string out;
  bool code = false;
  for (const char c : text) {
    if (c == '`') code = !code;
    if (!code) out += c;
  }
  return out;
}

// Anchors of a page's headings, as hosts of Markdown name them.
std::set<std::string> anchors(const std::string& text) {
  std::set<std::string> all;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("#")) continue;
    std::string anchor;
    for (const char c : line.substr(line.find(' ') + 1)) {
      if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_') anchor += static_cast<char>(std::tolower(c));
      if (c == ' ') anchor += '-';
    }
    all.insert(anchor);
  }
  return all;
}

// Without comments to the end of a line, and blanks.
std::string tokens(const std::string& code) {
  std::string text;
  std::istringstream lines(code);
  for (std::string line; std::getline(lines, line);) text += line.substr(0, line.find("//"));
  text.erase(std::remove_if(text.begin(), text.end(), [](unsigned char c) { return std::isspace(c) != 0; }), text.end());
  return text;
}

// "0.1" for 0.1, "1" for 1.0 and for [1,1], "the kernel's" for a list that stands for the kernel's.
std::string default_text(const ir::Attribute& fallback) {
  if (const auto* list = std::get_if<std::vector<std::int64_t>>(&fallback)) {
    return list->empty() ? "the kernel's" : std::to_string(list->front());
  }
  std::string text = ir::print_literal(fallback);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text == "1e-05" ? "1e-5" : text;
}

}  // namespace

TEST_CASE("links between the pages, and to files, lead somewhere") {
  for (const fs::path& page : pages()) {
    const std::string text = prose(text_of(page));
    for (std::size_t at = text.find("]("); at != std::string::npos; at = text.find("](", at + 1)) {
      const std::string link = text.substr(at + 2, text.find(')', at) - at - 2);
      if (link.starts_with("http")) continue;
      INFO(page << ": " << link);
      const std::size_t hash = std::min(link.find('#'), link.size());
      const fs::path target = hash == 0 ? page : page.parent_path() / link.substr(0, hash);
      CHECK(fs::exists(target));
      if (hash < link.size()) CHECK(anchors(text_of(target)).contains(link.substr(hash + 1)));
    }
  }
}

TEST_CASE("lines of the pages stay under 120 characters, but for tables and code") {
  for (const fs::path& page : pages()) {
    std::istringstream lines(text_of(page));
    bool fenced = false;
    int number = 0;
    for (std::string line; std::getline(lines, line);) {
      ++number;
      const bool fence = line.find("```") == line.find_first_not_of(' ') && line.find("```") != std::string::npos;
      if (fence) fenced = !fenced;
      if (fence || fenced || line.starts_with("|") || line.starts_with("    ")) continue;
      // Bytes that begin a character of UTF-8.
      const auto length = std::count_if(line.begin(), line.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
      CHECK_MESSAGE(length < 120, page << ":" << number);
    }
  }
}

TEST_CASE("every folder of kinds that CMake lists has a page that says how one is added") {
  std::string all;
  for (const fs::path& page : pages()) all += text_of(page);
  std::istringstream lines(text_of(source / "CMakeLists.txt"));
  int folders = 0;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("stair_register(")) continue;
    const std::size_t begin = line.find(' ') + 1;
    const std::string folder = line.substr(begin, line.find(' ', begin) - begin);
    ++folders;
    CHECK_MESSAGE(all.find("](../" + folder + ")") != std::string::npos, folder);
  }
  CHECK(folders > 10);
}

TEST_CASE("what pages quote of the sources stands there") {
  std::string code;
  for (const char* folder : {"ir", "passes", "runtime", "frontend", "backends/reference", "tests/ops"}) {
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(source / folder)) {
      if (entry.is_regular_file()) code += tokens(text_of(entry.path()));
    }
  }
  for (const char* name : {"docs/adding-an-op.md", "docs/adding-a-kind.md"}) {
    const std::string page = text_of(source / name);
    int quotes = 0;
    for (std::size_t at = page.find("```cpp\n"); at != std::string::npos; at = page.find("```cpp\n", at + 1)) {
      const std::string quote = page.substr(at + 7, page.find("\n```", at) - at - 7);
      ++quotes;
      CHECK_MESSAGE(code.find(tokens(quote)) != std::string::npos, quote);
    }
    CHECK(quotes > 5);
  }
}

TEST_CASE("docs/format-model-json.md has every layer with its attributes and their defaults") {
  std::istringstream page(text_of(source / "docs/format-model-json.md"));
  std::map<std::string, std::string> rows;  // by op
  std::string rows_of_all;
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("| `")) continue;
    const std::string ops = line.substr(0, line.find(" |", 1));
    rows_of_all += ops;
    for (const auto& [name, schema] : ir::op_registry().all()) {
      if (schema.layer && ops.find("`" + name + "`") != std::string::npos) rows[name] += line;
    }
  }
  for (const auto& [key, schema] : ir::op_registry().all()) {
    if (!schema.layer) continue;
    const std::string& name = key;  // what messages capture can't be a structured binding
    INFO(name);
    const std::string& row = rows[name];
    CHECK(!row.empty());
    const std::string& on_sequences = schema.layer->on_sequences;
    if (!on_sequences.empty()) CHECK(rows_of_all.find("`" + on_sequences + "`") != std::string::npos);
    std::vector<ir::AttributeSpec> attributes = schema.attributes;
    attributes.insert(attributes.end(), schema.layer->attributes.begin(), schema.layer->attributes.end());
    for (const ir::AttributeSpec& attribute : attributes) {
      const bool set_by_reader = attribute.name == "seed" || attribute.name == "stream";
      const std::string expected =
          "`" + attribute.name + "`" + (attribute.required || set_by_reader ? "" : " " + default_text(attribute.fallback));
      CHECK_MESSAGE(row.find(expected) != std::string::npos, expected << " in " << row);
    }
  }
}

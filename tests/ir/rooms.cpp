#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

// Rules of docs/architecture.md and docs/numerics.md that a program can hold the sources to.

namespace fs = std::filesystem;

namespace {

const fs::path root = STAIR_SOURCE_DIR;

std::string contents_of(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Of the program, by path from its root.
std::vector<fs::path> files_of(const std::string& room) {
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root / room)) {
    const std::string extension = entry.path().extension().string();
    if (extension == ".cpp" || extension == ".h" || extension == ".c") files.push_back(entry.path());
  }
  return files;
}

// What a file includes of the repository: "ir/op.h".
std::vector<std::string> included(const fs::path& path) {
  std::vector<std::string> names;
  std::istringstream lines(contents_of(path));
  for (std::string line; std::getline(lines, line);) {
    constexpr std::string_view begin = "#include \"";
    if (line.starts_with(begin)) names.push_back(line.substr(begin.size(), line.rfind('"') - begin.size()));
  }
  return names;
}

// Whether the name stands in the text with nothing behind it that would make it a longer one.
bool cites(const std::string& text, const std::string& clause) {
  for (std::size_t at = text.find(clause); at != std::string::npos; at = text.find(clause, at + 1)) {
    const char next = at + clause.size() < text.size() ? text[at + clause.size()] : ' ';
    const bool longer = (next >= 'A' && next <= 'Z') || (next >= '0' && next <= '9');
    const bool goes_on =
        next == '-' && at + clause.size() + 1 < text.size() && text[at + clause.size() + 1] >= 'A' && text[at + clause.size() + 1] <= 'Z';
    if (!longer && !goes_on) return true;
  }
  return false;
}

// "N-QUANT": the clauses that docs/numerics.md states, in bold.
std::set<std::string> clauses() {
  std::set<std::string> names;
  const std::string page = contents_of(root / "docs/numerics.md");
  for (std::size_t at = page.find("**N-"); at != std::string::npos; at = page.find("**N-", at + 1)) {
    const std::size_t begin = at + 2;
    names.insert(page.substr(begin, page.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-", begin) - begin));
  }
  return names;
}

}  // namespace

TEST_CASE("a room includes only what docs/architecture.md lets it") {
  const std::map<std::string, std::set<std::string>> rooms{{"ir", {"ir"}},
                                                           {"passes", {"passes", "ir"}},
                                                           {"backends", {"backends", "ir"}},
                                                           {"runtime", {"runtime", "backends", "ir"}},
                                                           {"frontend", {"frontend", "passes", "runtime", "backends", "ir"}}};
  for (const auto& [name, allowed] : rooms) {
    const std::string room = name;
    std::size_t count = 0;
    for (const fs::path& path : files_of(room)) {
      for (const std::string& header : included(path)) {
        ++count;
        const std::string from = header.substr(0, header.find('/'));
        CHECK_MESSAGE(allowed.contains(from), path << " includes " << header);
      }
    }
    CHECK_MESSAGE(count > 30, room);
  }
}

TEST_CASE("a backend includes nothing of another one, least of all of the reference that judges it") {
  std::map<std::string, std::size_t> own;
  for (const fs::path& path : files_of("backends")) {
    const std::string folder = fs::relative(path, root / "backends").begin()->string();
    if (!fs::is_directory(root / "backends" / folder)) continue;  // what backends share, and the list of them
    for (const std::string& header : included(path)) {
      if (!header.starts_with("backends/") || fs::path(header).parent_path() == "backends") continue;
      CHECK_MESSAGE(header.starts_with("backends/" + folder + "/"), path << " includes " << header);
      ++own[folder];
    }
  }
  for (const char* backend : {"reference", "openblas", "int8"}) CHECK_MESSAGE(own[backend] > 10, backend);
}

TEST_CASE("every clause of the arithmetic is cited by the code that follows it and by a test that holds it") {
  std::string code;
  std::string tests;
  for (const char* room : {"ir", "passes", "backends", "runtime", "frontend"}) {
    for (const fs::path& path : files_of(room)) code += contents_of(path);
  }
  for (const fs::path& path : files_of("tests")) {
    if (path.filename() != "rooms.cpp") tests += contents_of(path);
  }
  const std::set<std::string> all = clauses();
  CHECK(all.size() > 20);
  for (const std::string& clause : all) {
    CHECK_MESSAGE(cites(code, clause), clause << " in no code");
    CHECK_MESSAGE(cites(tests, clause), clause << " in no test");
  }
}

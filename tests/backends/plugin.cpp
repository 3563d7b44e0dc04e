// What the loader says of shared libraries that are no plug-ins, or not as backends/stair_plugin.h wants them.

#include "backends/plugin.h"

#include <doctest/doctest.h>

#include <string>

#include "backends/stair_plugin.h"
#include "ir/error.h"

using namespace stair;

namespace {

const std::string folder = STAIR_PLUGINS;

std::string refusal(const std::string& file) {
  try {
    backends::load_plugin(file);
  } catch (const Error& error) {
    return error.what();
  }
  return "loaded";
}

void check_refused(const std::string& name, const std::string& says) {
  const std::string file = folder + "/" + name + ".so";
  CHECK(refusal(file) == file + ": " + says);
}

}  // namespace

TEST_CASE("a file that is no plug-in is refused") {
  CHECK(refusal("nowhere/x.so") == "nowhere/x.so: no such file, expected a plug-in (a shared library)");
  CHECK(refusal(folder) == folder + ": no such file, expected a plug-in (a shared library)");
  const std::string text = std::string(STAIR_SOURCE_DIR) + "/README.md";
  CHECK(refusal(text) == text + ": invalid ELF header, expected a shared library");
  check_refused("no_entry", "has no function 'stair_plugin_load', expected a plug-in (stair_plugin.h)");
}

TEST_CASE("a plug-in that isn't as the header says is refused") {
  check_refused("wrong_version", "the plug-in follows version 99 of stair_plugin.h, expected 1");
  check_refused("small_table", "the plug-in's table has struct_size 16, expected at least " + std::to_string(sizeof(stair_plugin)));
  check_refused("null_member", "the plug-in's table has NULL as 'run', expected all members");
  check_refused("wrong_layout", "the plug-in's layout is 7, expected STAIR_ANY_LAYOUT, STAIR_NCHW or STAIR_NHWC");
  check_refused("malformed_name", "the plug-in is named 'My plug-in', expected a-z, 0-9, _ and -, beginning with a letter, at most 32");
  check_refused("taken_name", "the plug-in is named 'reference', and so is another backend");
  check_refused("refuses", "the plug-in can't work here: no device found");
  check_refused("no_table", "stair_plugin_load gave neither a table nor an error text");
}

TEST_CASE("a refused plug-in leaves nothing behind") {
  const std::vector<const backends::Backend*> before = backends::all();
  check_refused("null_member", "the plug-in's table has NULL as 'run', expected all members");
  CHECK(backends::all() == before);
}

TEST_CASE("a plug-in stands in front, is found by name, and loads once") {
  const std::size_t before = backends::plugins().size();
  const backends::Backend& loaded = backends::load_plugin(folder + "/right.so");
  CHECK(loaded.name() == "fixture");
  CHECK(loaded.summary() == "a plug-in of the tests");
  CHECK(backends::all()[before] == &loaded);
  CHECK(&backends::named("fixture") == &loaded);
  CHECK(&backends::load_plugin(folder + "/../plugins/right.so") == &loaded);
  CHECK(backends::plugins().size() == before + 1);
  CHECK(loaded.any_layout());
  CHECK(loaded.supports_op("linear_integer").yes);
  CHECK(loaded.supports_op("relu").reason == "only linear_integer");
  // Every fixture has this name.
  check_refused("wrong_result", "the plug-in is named 'fixture', and so is another backend");
}

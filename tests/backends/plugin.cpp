// What the loader says of shared libraries that are no plug-ins, or not as backends/stair_plugin.h wants them.

#include "backends/plugin.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "backends/stair_plugin.h"
#include "frontend/compile.h"
#include "ir/error.h"
#include "ir/text.h"
#include "tests/support/quantized_run.h"
#include "tests/support/seeds.h"

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
  check_refused("wrong_version", "the plug-in follows version 99 of stair_plugin.h, this program knows versions 1 to 2");
  check_refused("version_0", "the plug-in follows version 0 of stair_plugin.h, this program knows versions 1 to 2");
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

namespace {

const std::string& loaded_name(const std::string& name) {
  backends::load_plugin(folder + "/" + name + ".so");
  return name;
}

// Runs a graph of one node on that plug-in alone.
runtime::Tensor run_on(const std::string& plugin, const ir::Graph& graph, runtime::Tensors& states, const runtime::Tensor& input,
                       int threads) {
  runtime::Executor executor = frontend::executor_for(graph, states, {{&backends::named(loaded_name(plugin))}, threads, 0});
  REQUIRE(executor.assignments().front().backend == plugin);
  const ir::TensorView inputs[] = {input.view()};
  executor.run(inputs);
  const ir::TensorView result = executor.output("y");
  runtime::Tensor copy(result.type);
  std::copy_n(result.as<char>(), copy.bytes(), copy.as<char>());
  return copy;
}

// The sum of random floats, whose bits follow from the order in which they are added.
struct Sum {
  ir::Graph graph;
  runtime::Tensor x;

  explicit Sum(std::int64_t count) : x(tests::random_images({ir::DType::f32, {1, count}}, 5)) {
    graph.add_output("y", graph.emit("reduce_sum", {graph.add_input("x", x.type())}, {{"axes", std::vector<std::int64_t>{1}}}));
  }
  runtime::Tensor on(const std::string& plugin, int threads) const {
    runtime::Tensors none;
    return run_on(plugin, graph, none, x, threads);
  }
  std::string failure(const std::string& plugin, int threads) const {
    try {
      on(plugin, threads);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
  // In pieces of 1000, each from its end on.
  float expected() const {
    float all = 0;
    for (std::int64_t first = 0; first < x.count(); first += 1000) {
      float piece = 0;
      for (std::int64_t i = std::min(first + 1000, x.count()); i > first; --i) piece += x.as<float>()[i - 1];
      all += piece;
    }
    return all;
  }
};

}  // namespace

TEST_CASE("a plug-in that was built against version 1 of the header is loaded and runs") {
  const ir::Graph graph = ir::parse(R"(sir 1
graph "g"
%x = input : u8[3,40]
%w = state constant external : s8[5,40]
%z = state constant external : i32[1]
%sum = linear_integer(%x, %w, %z)
output y = %sum
)",
                                    "g");
  const auto zeros = [&](const char* name) { return runtime::Tensor(graph.type(graph.find(name))); };
  runtime::Tensor x = zeros("x");
  runtime::Tensor w = zeros("w");
  runtime::Tensor z = zeros("z");
  for (std::int64_t i = 0; i < x.count(); ++i) x.as<std::uint8_t>()[i] = static_cast<std::uint8_t>(i * 37);
  for (std::int64_t i = 0; i < w.count(); ++i) w.as<std::int8_t>()[i] = static_cast<std::int8_t>(i * 29);
  *z.as<std::int32_t>() = 7;
  runtime::Tensors states;
  states.emplace("w", w.clone());
  states.emplace("z", std::move(z));
  const runtime::Tensor y = run_on("version_1", graph, states, x, 2);
  for (std::int64_t r = 0; r < 3; ++r) {
    for (std::int64_t o = 0; o < 5; ++o) {
      std::int32_t sum = 0;
      for (std::int64_t k = 0; k < 40; ++k) sum += (x.as<std::uint8_t>()[r * 40 + k] - 7) * w.as<std::int8_t>()[o * 40 + k];
      CHECK(y.as<std::int32_t>()[r * 5 + o] == sum);
    }
  }
}

TEST_CASE("what the driver runs in parallel for a plug-in has the same bits for any number of threads (N-REPEAT)") {
  for (const std::int64_t count : {1, 999, 1000, 1001, 4000, 123'457}) {
    CAPTURE(count);
    const Sum sum(count);
    std::vector<int> teams{1, 2, 3, 4};
    if (!tests::slow_build()) teams.push_back(40);  // not with sanitizers: LLVM's OpenMP library leaks a team that has grown
    for (const int threads : teams) {
      CAPTURE(threads);
      CHECK(*sum.on("parallel", threads).as<float>() == sum.expected());
    }
  }
}

TEST_CASE("of pieces that fail the first is told, whatever the number of threads") {
  const Sum sum(20'000);
  for (const int threads : {1, 2, 3, 4}) {
    CAPTURE(threads);
    const auto says = [&](const std::string& plugin, const std::string& what) {
      CHECK(sum.failure(plugin, threads) ==
            folder + "/" + plugin + ".so: plug-in '" + plugin + "': reduce_sum 'reduce_sum' failed: " + what);
    };
    says("pieces_fail", "the fourth piece");
    says("piece_throws", "a piece of parallel work: threw a C++ exception (piece at 0), expected an error text");
    says("no_grain", "parallel_for() of 20000 items, 0 a piece, expected at least 0 and at least 1");
  }
}

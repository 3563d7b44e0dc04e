#include <doctest/doctest.h>

#include "frontend/importer.h"
#include "ir/error.h"
#include "ir/text.h"
#include "tests/frontend/process.h"
#include "tests/frontend/small_experiment.h"

using namespace stair;
using tests::run_stair;

TEST_CASE("a file of a known extension is read as that, another one as what it holds") {
  const tests::TemporaryFolder folder;
  const std::string json = tests::small_model().dump();
  folder.write("m.json", "\n " + json);
  const std::string expected = ir::print(frontend::import_model(folder / "m.json", 3).model);
  folder.write("m.sir", expected);
  folder.write("json.txt", "\n " + json);
  folder.write("graph", expected);
  for (const char* name : {"m.sir", "json.txt", "graph"}) CHECK(ir::print(frontend::import_model(folder / name, 3).model) == expected);
  CHECK(frontend::import_model(folder / "json.txt", 3).in_place == tests::small_model());
  CHECK(frontend::import_model(folder / "graph", 3).in_place.is_null());
  for (const auto& [name, importer] : frontend::importers().all()) CHECK(frontend::is_model_file("m" + importer.extension));
  CHECK(!frontend::is_model_file("m.txt"));

  folder.write("wrong.json", expected);
  CHECK_THROWS_WITH_AS(frontend::import_model(folder / "wrong.json", 3), doctest::Contains("wrong.json:1:1: is not JSON: "), Error);
  folder.write("wrong.sir", json);
  CHECK_THROWS_WITH_AS(frontend::import_model(folder / "wrong.sir", 3), doctest::Contains("wrong.sir:1:1: "), Error);
  for (const char* bytes : {"", " ", "no model",
                            "\x7f"
                            "ELF"}) {
    folder.write("other", bytes);
    CHECK_THROWS_WITH_AS(
        frontend::import_model(folder / "other", 3),
        (folder / "other" + ": is no model, expected a model JSON (.json) or an ONNX model (.onnx) or the text of a graph (.sir)").c_str(),
        Error);
  }
}

TEST_CASE("the commands take models of all formats, and their help names them") {
  const tests::TemporaryFolder folder;
  folder.write("model", tests::small_model().dump());
  const tests::Outcome graph = run_stair({"opt", "model"}, folder.path());
  CHECK(graph.code == 0);
  folder.write("text", graph.out);
  CHECK(run_stair({"opt", "text"}, folder.path()).out == graph.out);
  for (const char* command : {"opt", "inspect", "bench"}) {
    CHECK(run_stair({command, "--help"}, folder.path()).out.find(frontend::model_formats().substr(0, 12)) != std::string::npos);
  }
}

#include <doctest/doctest.h>

#include "runtime/dataset.h"
#include "tests/runtime/support.h"

using namespace stair;
using runtime::Dataset;
using tests::error_of;

namespace {

struct Table {
  tests::TemporaryFolder folder;
  std::string path = folder / "t.csv";
  explicit Table(const std::string& text) { tests::put(path, text); }
  Dataset load(ir::Attributes settings = {}) const {
    if (!settings.has("label") && !settings.has("values")) settings.set("label", std::string("kind"));
    return runtime::load_dataset("csv", {{{"table", {path}}}, settings});
  }
  std::string error(const ir::Attributes& settings = {}) const {
    return error_of([&] { load(settings); });
  }
};

std::vector<float> values_of(const Dataset& dataset) {
  const runtime::Tensor values = tests::all_examples(dataset.inputs.front());
  return {values.as<float>(), values.as<float>() + values.count()};
}

}  // namespace

TEST_CASE("a table's columns are examples and labels, by name") {
  const Table table(
      "\xEF\xBB\xBF"
      "width, \"height\",kind,\"the \"\"third\"\"\"\r\n1, -2.5,0,3e2\r\n\"4\",5,1,\t6 \r\n\r\n7,8,2,9");
  const Dataset all = table.load();
  CHECK(all.inputs.front().type() == ir::Type{ir::DType::f32, {3, 3}});
  CHECK(values_of(all) == std::vector<float>{1, -2.5, 300, 4, 5, 6, 7, 8, 9});
  for (int i = 0; i < 3; ++i) CHECK(all.labels.front().as<std::int32_t>()[i] == i);
  const Dataset some = table.load({{"columns", std::vector<std::string>{"the \"third\"", "width"}}});
  CHECK(values_of(some) == std::vector<float>{300, 1, 6, 4, 9, 7});
}

TEST_CASE("columns may be values, and fields stand between what the settings say") {
  const Table table("a;x;b;y\n1;2;3;4,\n");
  const ir::Attributes settings{{"values", std::vector<std::string>{"b", "x"}}, {"separator", std::string(";")}};
  CHECK(table.error(settings).ends_with("line 2, column 'y': found '4,', expected a number of binary32"));
  const Table right("a;x;b;y\n1;2;3;4\n5;6;7;-8\n");
  const Dataset all = right.load(settings);
  CHECK(values_of(all) == std::vector<float>{1, 4, 5, -8});
  CHECK(all.labels.front().type() == ir::Type{ir::DType::f32, {2, 2}});
  CHECK(std::vector<float>(all.labels.front().as<float>(), all.labels.front().as<float>() + 4) == std::vector<float>{3, 2, 7, 6});
  const std::string either = ": expected either 'label', the column of the classes, or 'values', columns of numbers";
  CHECK(table.error({{"label", std::string("a")}, {"values", std::vector<std::string>{"b"}}, {"separator", std::string(";")}}) ==
        table.path + either);
  CHECK(table.error({{"label", std::string()}, {"separator", std::string(";")}}) == table.path + either);
  CHECK(table.error({{"label", std::string("a")}, {"separator", std::string("1")}}) ==
        table.path + ": found the separator '1', expected one character that no number has, like ',' or ';'");
}

TEST_CASE("what is wrong with a table is named with its line and column") {
  const auto error = [](const std::string& text, const ir::Attributes& settings = {}) {
    const Table table(text);
    const std::string message = table.error(settings);
    REQUIRE(message.starts_with(table.path + ": "));
    return message.substr(table.path.size() + 2);
  };
  CHECK(error("a,kind\n1,0\n2\n") == "line 3: has 1 fields, the header has 2");
  CHECK(error("a,kind\n1,0\n\"2\n3\",0,4\n") == "line 3: has 3 fields, the header has 2");
  CHECK(error("a,kind\n1,0\nx,0\n") == "line 3, column 'a': found 'x', expected a number of binary32");
  CHECK(error("a,kind\n1e99,0\n") == "line 2, column 'a': found '1e99', expected a number of binary32");
  CHECK(error("a,kind\nnan,0\n") == "line 2, column 'a': found 'nan', expected a finite number");
  CHECK(error("a,kind\n,0\n") == "line 2, column 'a': found '', expected a number of binary32");
  CHECK(error("a,kind\n1,1.5\n") == "line 2, column 'kind': found '1.5', expected a class: an integer from 0 on");
  CHECK(error("a,kind\n1,-1\n") == "line 2, column 'kind': found -1, expected a class from 0 on");
  CHECK(error("a,kind\n1,0\n\"2,0\n") == "line 3: a field in quotes has no end");
  CHECK(error("a,kind\n") == "has no lines behind its header");
  CHECK(error("") == "has no column 'kind', expected ''");
  CHECK(error("kind\n1\n") == "has no column but the labels'");
  CHECK(error("a,a,kind\n1,2,0\n") == "line 1 names two columns 'a'");
  CHECK(error("a,kinds\n1,0\n") == "has no column 'kind' (did you mean 'kinds'?), expected 'a' or 'kinds'");
  CHECK(error("a,kind\n1,0\n", {{"columns", std::vector<std::string>{"b"}}}) ==
        "has no column 'b' (did you mean 'a'?), expected 'a' or 'kind'");
}

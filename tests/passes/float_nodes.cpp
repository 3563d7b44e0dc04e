#include "passes/float_nodes.h"

#include <doctest/doctest.h>

#include "passes/pipelines.h"
#include "tests/support/model_builder.h"

using namespace stair;

namespace {

std::string islands(const ir::Graph& model, const std::string& recipe) {
  return passes::describe_float_islands(passes::run(passes::deployment(passes::recipe_from_json(recipe)), model));
}

}  // namespace

TEST_CASE("float islands are named with the reason") {
  CHECK(islands(tests::small_lenet(1), R"("int8")").empty());
  CHECK(islands(tests::small_mixed_net(1), R"("jacob2017")").empty());
  CHECK(islands(tests::small_lenet(1), R"("binaryconnect")") == "float: all activations, which the recipe doesn't quantize\n");
  const std::string skipped = islands(tests::small_lenet(1), R"({"overrides": [{"pattern": "conv_2", "skip": true}]})");
  INFO(skipped);
  CHECK(skipped.find("float between quantizers: 'conv_2' (conv2d): an override of the recipe skips it") != std::string::npos);

  tests::ModelBuilder m({1, 8});
  const ir::ValueId attention = m.op("log_softmax", {m.linear(m.input(), 6, true)});
  CHECK(islands(m.finish(m.linear(attention, 4, true)), R"("int8")") ==
        "float between quantizers: 'log_softmax' (log_softmax): a logarithm over an axis: no function of one integer; runs on dequantized "
        "floats\n");
  CHECK(islands(tests::small_attention_net(1), R"("int8")").empty());
  CHECK(
      islands(tests::small_attention_net(1), R"({"normalization": "float"})")
          .starts_with("float between quantizers: 'softmax' (softmax): no quantizer stands behind it, or the recipe keeps it in float\n"));
}

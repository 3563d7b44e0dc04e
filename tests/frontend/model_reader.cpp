#include "frontend/readers/model_reader.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "frontend/verification/verification_report.h"
#include "ir/error.h"
#include "ir/rebatch.h"
#include "ir/text.h"
#include "passes/float_nodes.h"
#include "passes/outputs.h"
#include "passes/pipelines.h"
#include "tests/support/quantized_run.h"

using namespace stair;
using ir::Json;

namespace {

std::string text_of(const std::string& json) {
  std::vector<std::string> idle;  // tests/frontend/settings.cpp looks at those
  return ir::print(readers::read_model(Json::parse(json), "m.json", 5, &idle));
}

// A model of one grey 8x8 picture.
std::string text_of_layers(const std::string& layers, const std::string& more = "") {
  return text_of(R"({"input": {"shape": [1, 8, 8]}, "layers": [)" + layers + "]" + more + "}");
}

std::string model_error(const std::string& json) {
  try {
    text_of(json);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

// With what has no effect.
std::string strict_error(const std::string& json) {
  try {
    readers::read_model(Json::parse(json), "m.json", 5);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::string layers_error(const std::string& layers, const std::string& more = "") {
  return model_error(R"({"input": {"shape": [1, 8, 8]}, "layers": [)" + layers + "]" + more + "}");
}

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("a model's layers become nodes and states, with all defaults") {
  CHECK(text_of(R"({
    "name": "tiny",
    "input": {"name": "picture", "shape": [3, 8, 8]},
    "layers": [
      {"op": "conv2d", "name": "c", "out_channels": 4, "kernel": 5, "padding": 2, "stride": 2, "bias": false},
      {"op": "batch_norm", "name": "bn"},
      {"op": "relu"},
      {"op": "max_pool", "kernel": 2},
      {"op": "flatten"},
      {"op": "linear", "name": "fc", "features": 10}
    ]})") ==
        R"(sir 1
graph "tiny"
%picture = input : f32[1,3,8,8]
%c.weight = state parameter uniform(0.11547005383792514) : f32[4,3,5,5]
%bn.gamma = state parameter constant(1.0) : f32[4]
%bn.beta = state parameter constant(0.0) : f32[4]
%bn.mean = state statistic constant(0.0) : f32[4]
%bn.var = state statistic constant(1.0) : f32[4]
%fc.weight = state parameter uniform(0.25) : f32[10,16]
%fc.bias = state parameter uniform(0.25) : f32[10]
%c = conv2d(%picture, %c.weight) {padding=[2,2,2,2], stride=[2,2]} : f32[1,4,4,4]
%bn, %bn.new_mean, %bn.new_var, %bn.batch_mean, %bn.inv_std = batch_norm(%c, %bn.gamma, %bn.beta, %bn.mean, %bn.var) : f32[1,4,4,4], f32[4], f32[4], f32[4], f32[4]
%relu = relu(%bn) : f32[1,4,4,4]
%max_pool, %max_pool.index = max_pool(%relu) {kernel=[2,2]} : f32[1,4,2,2], u8[1,4,2,2]
%flatten = flatten(%max_pool) : f32[1,16]
%fc = linear(%flatten, %fc.weight, %fc.bias) : f32[1,10]
output logits = %fc
update %bn.mean = %bn.new_mean
update %bn.var = %bn.new_var
)");
}

TEST_CASE("one number stands for a kernel's two, one or two for the padding's four") {
  const auto conv = [](const std::string& more) {
    return text_of_layers(R"({"op": "conv2d", "name": "c", "out_channels": 2, "bias": false, )" + more + "}");
  };
  CHECK(conv(R"("kernel": 3, "padding": 1)") == conv(R"("kernel": [3, 3], "padding": [1, 1, 1, 1])"));
  CHECK(conv(R"("kernel": [3, 5], "padding": [1, 2])") == conv(R"("kernel": [3, 5], "padding": [1, 2, 1, 2])"));
  CHECK(conv(R"("kernel": 2, "stride": 2, "dilation": 3)") == conv(R"("kernel": [2, 2], "stride": [2, 2], "dilation": [3, 3])"));
  CHECK(has_line(conv(R"("kernel": 3, "padding": [0, 1, 2, 3])"), "%c = conv2d(%x, %c.weight) {padding=[0,1,2,3]} : f32[1,2,8,10]"));
}

namespace {

// Of sequences of 2 channels and 12 elements.
const char* const sequence_layers = R"(
    {"op": "conv1d", "name": "c", "out_channels": 4, "kernel": 5, "stride": 2, "padding": [2, 1], "bias": false},
    {"op": "batch_norm", "name": "bn"},
    {"op": "relu", "name": "r"},
    {"op": "conv1d", "name": "d", "out_channels": 4, "kernel": 3, "dilation": 2, "padding": 2, "groups": 2},
    {"op": "add", "name": "sum", "inputs": ["d", "r"]},
    {"op": "avg_pool_inside1d", "name": "p", "kernel": 3, "stride": 1, "padding": 1},
    {"op": "conv_transpose1d", "name": "t", "out_channels": 3, "kernel": 2, "stride": 2, "output_padding": 1},
    {"op": "tanh", "name": "tanh"},
    {"op": "transpose", "name": "turned", "permutation": [0, 2, 1]},
    {"op": "linear", "name": "l", "features": 5},
    {"op": "global_max_pool", "name": "g"},
    {"op": "flatten", "name": "f"},
    {"op": "linear", "name": "fc", "features": 10})";

std::string sequence_model(const std::string& layers, const std::string& more = "") {
  return R"({"input": {"shape": [2, 12]}, "layers": [)" + layers + "]" + more + "}";
}

}  // namespace

TEST_CASE("sequences run as images of height 1, until a layer reads them that knows no images") {
  const std::string text = text_of(sequence_model(sequence_layers));
  INFO(text);
  CHECK(has_line(text, "%c.weight = state parameter uniform(0.31622776601683794) : f32[4,2,1,5]"));
  CHECK(has_line(text, "%x.image = unsqueeze(%x) {axes=[2]} : f32[1,2,1,12]"));
  CHECK(has_line(text, "%c = conv2d(%x.image, %c.weight) {padding=[0,2,0,1], stride=[1,2]} : f32[1,4,1,6]"));
  CHECK(has_line(text, "%r = relu(%bn) : f32[1,4,1,6]"));
  CHECK(has_line(text, "%d = conv2d(%r, %d.weight, %d.bias) {dilation=[1,2], groups=2, padding=[0,2,0,2]} : f32[1,4,1,6]"));
  CHECK(has_line(text, "%sum = add(%d, %r) : f32[1,4,1,6]"));
  CHECK(has_line(text, "%p = avg_pool_inside(%sum) {kernel=[1,3], padding=[0,1,0,1], stride=[1,1]} : f32[1,4,1,6]"));
  CHECK(has_line(text, "%t = conv_transpose2d(%p, %t.weight, %t.bias) {output_padding=[0,1], stride=[1,2]} : f32[1,3,1,13]"));
  CHECK(has_line(text, "%tanh.sequence = squeeze(%tanh) {axes=[2]} : f32[1,3,13]"));
  CHECK(has_line(text, "%l = linear(%turned, %l.weight, %l.bias) : f32[1,13,5]"));
  CHECK(has_line(text, "%g = global_max_pool(%l.image) : f32[1,13,1,1]"));
  // The output is a sequence, too, and what stands below it is cut off.
  const std::string cut = text_of(sequence_model(sequence_layers, R"(, "output": "d")"));
  CHECK(has_line(cut, "output logits = %d.sequence"));
  CHECK(model_error(R"({"input": {"shape": [2, 8, 8]}, "layers": [{"op": "conv1d", "out_channels": 2, "kernel": 3}]})") ==
        "m.json /layers/0: conv1d 'conv1d' reads 'x' [1,2,8,8], expected [N,C,L]");
  CHECK(model_error(sequence_model(R"({"op": "max_pool1d", "kernel": [2, 2]})")) ==
        "m.json /layers/0: kernel is [2,2], expected one number");
  CHECK(model_error(sequence_model(R"({"op": "conv1d", "out_channels": 2, "kernel": 3, "padding": [1, 1, 1, 1]})")) ==
        "m.json /layers/0: padding is [1,1,1,1], expected one number or two [begin, end]");
  CHECK(model_error(sequence_model(R"({"op": "conv1", "out_channels": 2, "kernel": 3})")) ==
        "m.json /layers/0/op: unknown op 'conv1' (did you mean 'conv1d'?)");
}

TEST_CASE("a model of sequences runs on integers between its quantizers, and verifies") {
  for (const char* recipe : {R"("int8")", R"("jacob2017")", R"({"requantization": "power_of_two"})"}) {
    CAPTURE(std::string(recipe));
    const ir::Graph model = readers::read_model(Json::parse(sequence_model(sequence_layers)), "m.json", 5);
    CHECK(passes::describe_float_islands(passes::run(passes::deployment(passes::recipe_from_json(recipe)), model)).empty());
    tests::QuantizedRun run = tests::quantized_run(ir::with_batch(model, 4), recipe, 2);
    const verification::Verification report = tests::verify_run(run);
    INFO(verification::describe(report));
    CHECK(report.holds());
    const auto& nodes = run.deployment.graph.nodes();
    CHECK(std::none_of(nodes.begin(), nodes.end(), [](const ir::Node& node) { return node.op->name == "relu"; }));
  }
}

TEST_CASE("inputs by name make residuals and concatenations, and output tells which layer yields the logits") {
  const std::string text = text_of_layers(R"(
      {"op": "conv2d", "name": "c", "out_channels": 1, "kernel": 3, "padding": 1},
      {"op": "add", "name": "sum", "inputs": ["c", "x"]},
      {"op": "concat", "name": "both", "axis": 1, "inputs": ["sum", "c", "x"]},
      {"op": "relu", "name": "cut_off"})",
                                          R"(, "output": "both")");
  CHECK(has_line(text, "%sum = add(%c, %x) : f32[1,1,8,8]"));
  CHECK(has_line(text, "%both = concat(%sum, %c, %x) : f32[1,3,8,8]"));
  CHECK(has_line(text, "output logits = %both"));
}

TEST_CASE("blocks repeat layers with parameters, in blocks, and read $input") {
  const std::string text = text_of_layers(R"(
      {"block": "stage", "name": "s", "repeat": 2, "with": {"channels": 1}},
      {"block": "residual", "with": {"kernel": 1}},
      {"block": "residual"})",
                                          R"(, "blocks": {
      "residual": {
        "parameters": {"channels": 1, "kernel": 3, "padding": 0},
        "layers": [
          {"op": "conv2d", "name": "conv", "out_channels": "$channels", "kernel": "$kernel", "padding": 1, "bias": false},
          {"op": "max_pool", "kernel": "$kernel", "stride": 1},
          {"op": "flatten", "name": "flat"},
          {"op": "flatten", "name": "skip", "inputs": ["$input"]},
          {"op": "relu", "inputs": ["$input"]}
        ]},
      "stage": {"parameters": {"channels": null}, "layers": [{"block": "residual", "name": "r", "with": {"channels": "$channels"}}]}
    })");
  CHECK(has_line(text, "%s.0.r.conv = conv2d(%x, %s.0.r.conv.weight) {padding=[1,1,1,1]} : f32[1,1,8,8]"));
  CHECK(has_line(text, "%s.0.r.relu = relu(%x) : f32[1,1,8,8]"));
  CHECK(has_line(text, "%s.1.r.conv = conv2d(%s.0.r.relu, %s.1.r.conv.weight) {padding=[1,1,1,1]} : f32[1,1,8,8]"));
  CHECK(has_line(text, "%s.1.r.skip = flatten(%s.0.r.relu) : f32[1,64]"));
  // A block that is used again without a name gets one.
  CHECK(has_line(text, "%residual.conv = conv2d(%s.1.r.relu, %residual.conv.weight) {padding=[1,1,1,1]} : f32[1,1,10,10]"));
  CHECK(has_line(text, "%residual_2.conv = conv2d(%residual.relu, %residual_2.conv.weight) {padding=[1,1,1,1]} : f32[1,1,8,8]"));
  CHECK(has_line(text, "output logits = %residual_2.relu"));
}

TEST_CASE("layers without names get their op's, with a number from the second on") {
  const std::string text = text_of_layers(R"({"op": "relu"}, {"op": "relu"}, {"op": "relu", "name": "last", "inputs": ["relu"]})");
  CHECK(has_line(text, "%relu_2 = relu(%relu) : f32[1,1,8,8]"));
  CHECK(has_line(text, "%last = relu(%relu) : f32[1,1,8,8]"));
}

TEST_CASE("dropout layers draw from streams of their own, with the model's seed") {
  const std::string text = text_of_layers(R"({"op": "dropout", "name": "a"}, {"op": "dropout", "name": "b", "rate": 0.25})");
  CHECK(has_line(text, "%a, %a.mask, %a.next = dropout(%x, %a.counter) {seed=5, stream=1} : f32[1,1,8,8], u8[1,1,8,8], i64[1]"));
  CHECK(has_line(text, "%b, %b.mask, %b.next = dropout(%a, %b.counter) {rate=0.25, seed=5, stream=2} : f32[1,1,8,8], u8[1,1,8,8], i64[1]"));
  CHECK(has_line(text, "update %b.counter = %b.next"));
}

TEST_CASE("names of any characters survive the graph's text") {
  const ir::Graph graph = readers::read_model(
      Json::parse(R"({"input": {"shape": [4]}, "layers": [{"op": "linear", "name": "a b\"\\ \u00e9\n%,(", "features": 2}]})"), "m.json", 1);
  CHECK(ir::print(ir::parse(ir::print(graph), "text")) == ir::print(graph));
}

TEST_CASE("what is wrong with a layer is told with its place, its name and the nearest right one") {
  CHECK(layers_error(R"({"op": "conv2"})") == "m.json /layers/0/op: unknown op 'conv2' (did you mean 'conv2d'?)");
  CHECK(layers_error(R"({"op": "fake_quantize"})") == "m.json /layers/0/op: no layer of a model is the op 'fake_quantize'");
  CHECK(layers_error(R"({"name": "a"})") == "m.json /layers/0: expected either 'op' or 'block'");
  CHECK(layers_error(R"({"op": "relu", "block": "b"})") == "m.json /layers/0: expected either 'op' or 'block'");
  CHECK(layers_error(R"({"op": "space_to_depth", "block": 2}, {"op": "depth_to_space", "block": 2})") == "no error");
  CHECK(layers_error(R"({"op": "space_to_depth", "block": "two"})") == "m.json /layers/0/block: found \"two\", expected an integer");
  CHECK(layers_error(R"({"op": "relu"}, {"op": "conv2d", "out_channels": 1, "kernl": 3, "kernel": 3})") ==
        "m.json /layers/1/kernl: unknown key 'kernl' (did you mean 'kernel'?), expected 'op', 'name', 'inputs', 'weights_of', "
        "'stride', 'padding', 'dilation', 'groups', 'quantize', 'out_channels', 'kernel' or 'bias'");
  CHECK(layers_error(R"({"op": "conv2d", "kernel": 3})") ==
        "m.json /layers/0: the key 'out_channels' is missing, expected an integer (output channels)");
  CHECK(layers_error(R"({"op": "relu", "name": 3})") == "m.json /layers/0/name: found 3, expected a text");
  CHECK(layers_error(R"({"op": "relu", "inputs": "x"})") == "m.json /layers/0/inputs: found \"x\", expected a list of texts");
  CHECK(layers_error(R"({"op": "batch_norm", "eps": "small"})") == "m.json /layers/0/eps: found \"small\", expected a number");
  CHECK(layers_error(R"({"op": "dropout", "name": "d", "rate": 1.5})") == "m.json /layers/0/rate: found 1.5, expected less than 1");
}

TEST_CASE("a model's own keys are checked") {
  CHECK(model_error("[]") == "m.json /: found a list, expected an object");
  CHECK(model_error(R"({"layers": [{"op": "relu"}]})") ==
        "m.json /: the key 'input' is missing, expected that or 'inputs' (what the model reads)");
  CHECK(layers_error("") == "m.json /layers: found a list of 0, expected at least 1");
  CHECK(
      layers_error(R"({"op": "relu"})", R"(, "outptu": "relu")") ==
      "m.json /outptu: unknown key 'outptu' (did you mean 'output'?), expected 'name', 'input', 'inputs', 'layers', 'blocks', 'output' or "
      "'outputs'");
  CHECK(layers_error(R"({"op": "relu", "name": "r1"})", R"(, "output": "r2")") ==
        "m.json /output: unknown layer 'r2' (did you mean 'r1'?)");
  CHECK(model_error(R"({"input": {"shape": [0]}, "layers": [{"op": "relu"}]})") == "m.json /input/shape/0: found 0, expected at least 1");
  CHECK(model_error(R"({"input": {"shape": [3000000000]}, "layers": [{"op": "relu"}]})") ==
        "m.json /input/shape/0: found 3000000000, expected at most 2147483647");
  CHECK(model_error(R"({"input": {"shape": [2000000000, 2000000000, 2000000000]}, "layers": [{"op": "flatten"}]})") ==
        "m.json /input: input 'x' has the shape [1,2000000000,2000000000,2000000000], expected at most 2147483647 elements");
}

TEST_CASE("inputs must be layers above, as many as the op reads") {
  CHECK(layers_error(R"({"op": "relu", "name": "conv1"}, {"op": "relu", "inputs": ["conv2"]})") ==
        "m.json /layers/1/inputs/0: unknown layer 'conv2' (did you mean 'conv1'?)");
  CHECK(layers_error(R"({"op": "relu", "name": "a", "inputs": ["b"]}, {"op": "relu", "name": "b"})") ==
        "m.json /layers/0/inputs/0: 'b' stands below (at /layers/1), expected a layer above: a model has no cycles");
  CHECK(layers_error(R"({"op": "add", "name": "sum"})") == "m.json /layers/0: add 'sum' reads 2 inputs, found 1");
  CHECK(layers_error(R"({"op": "relu", "name": "r", "inputs": ["x", "x"]})") == "m.json /layers/0/inputs: relu 'r' reads 1 input, found 2");
}

TEST_CASE("a name stands for one thing, and generated names give way to those that a user gives") {
  CHECK(layers_error(R"({"op": "relu", "name": "a"}, {"op": "relu", "name": "a"})") == "m.json /layers/1/name: the name 'a' is taken");
  CHECK(layers_error(R"({"op": "relu", "name": "x"})") == "m.json /layers/0/name: the name 'x' is taken");
  CHECK(layers_error(R"({"op": "batch_norm", "name": "b"}, {"op": "relu", "name": "b.mean"})") == "no error");
  CHECK(layers_error(R"({"op": "batch_norm", "name": "b"}, {"op": "relu", "name": "b.new_mean"})") == "no error");
  CHECK(layers_error(R"({"op": "relu"}, {"op": "relu"}, {"op": "tanh", "name": "relu_2"}, {"op": "tanh", "name": "relu"})") == "no error");
  CHECK(layers_error(R"({"op": "relu", "name": "labels"}, {"op": "relu", "name": "step"})") == "no error");
  CHECK(layers_error(R"({"op": "relu", "name": "$a"})") ==
        "m.json /layers/0/name: found '$a', expected a name that doesn't begin with '$'");
  CHECK(layers_error(R"({"op": "relu", "name": "loss"}, {"op": "relu", "name": "learning_rate"})") == "no error");
}

TEST_CASE("shapes that don't fit are told with the layer's name and both shapes") {
  CHECK(layers_error(
            R"({"op": "conv2d", "name": "c", "out_channels": 4, "kernel": 3}, {"op": "add", "name": "sum", "inputs": ["c", "x"]})") ==
        "m.json /layers/1: add 'sum': shapes [1,4,6,6] and [1,1,8,8] don't broadcast");
  CHECK(layers_error(R"({"op": "flatten"}, {"op": "conv2d", "name": "c", "out_channels": 4, "kernel": 3})") ==
        "m.json /layers/1: conv2d 'c' reads 'flatten' [1,64], expected [N,C,H,W]");
  CHECK(layers_error(R"({"op": "flatten"}, {"op": "conv_transpose2d", "name": "c", "out_channels": 4, "kernel": 3})") ==
        "m.json /layers/1: conv_transpose2d 'c' reads 'flatten' [1,64], expected [N,C,H,W]");
  CHECK(layers_error(R"({"op": "conv2d", "name": "c", "out_channels": 4, "kernel": 9})") ==
        "m.json /layers/0: conv2d 'c': the window [9,9] doesn't fit into x [1,1,8,8] with padding [0,0,0,0]");
  CHECK(layers_error(R"({"op": "max_pool", "name": "p", "kernel": 9})") ==
        "m.json /layers/0: max_pool 'p': the window [9,9] doesn't fit into x [1,1,8,8]");
  CHECK(layers_error(R"({"op": "conv2d", "name": "c", "out_channels": 4, "kernel": 3, "groups": 2})") ==
        "m.json /layers/0: conv2d 'c': 2 groups don't divide 1 input channels");
  CHECK(layers_error(R"({"op": "conv2d", "name": "c", "out_channels": 4, "kernel": 3, "groups": 0})") ==
        "m.json /layers/0/groups: found 0, expected at least 1");
  CHECK(layers_error(R"({"op": "conv2d", "name": "c", "out_channels": 4, "kernel": [3, 3, 3]})") ==
        "m.json /layers/0: conv2d 'c': kernel is [3,3,3], expected two numbers [height, width]");
  CHECK(layers_error(R"({"op": "conv2d", "name": "c", "out_channels": 4, "kernel": 3, "padding": [1, 1, 1]})") ==
        "m.json /layers/0: conv2d 'c': padding is [1,1,1], expected four numbers [top, left, bottom, right]");
}

TEST_CASE("sizes out of all bounds are errors, not overflows") {
  const auto conv = [](const std::string& more) { return layers_error(R"({"op": "conv2d", "name": "c", "kernel": 3, )" + more + "}"); };
  CHECK(conv(R"("out_channels": 0)") ==
        "m.json /layers/0: value 'c.weight' has the shape [0,1,3,3], expected at most 16 dimensions of at least 1 and "
        "2147483647 elements");
  CHECK(conv(R"("out_channels": -4)") ==
        "m.json /layers/0: value 'c.weight' has the shape [-4,1,3,3], expected at most 16 dimensions of at least 1 and "
        "2147483647 elements");
  CHECK(conv(R"("out_channels": 1000000000000)") == "m.json /layers/0/out_channels: found 1000000000000, expected at most 2147483647");
  CHECK(conv(R"("out_channels": 18446744073709551615)") ==
        "m.json /layers/0/out_channels: found 18446744073709551615, expected at most 2147483647");
  CHECK(conv(R"("out_channels": 1e12)") == "m.json /layers/0/out_channels: found 1000000000000.0, expected an integer");
  CHECK(conv(R"("out_channels": 2000000000)") ==
        "m.json /layers/0: conv2d 'c': weight has the shape [2000000000,1,3,3], expected at most 2147483647 elements");
  CHECK(conv(R"("out_channels": 4, "padding": 2000000000)") ==
        "m.json /layers/0: conv2d 'c': padding is [2000000000,2000000000,2000000000,2000000000], which makes more than 2^26 elements of x "
        "[1,1,8,8] and more than four times as many");
}

TEST_CASE("what is wrong with a block is told with its place") {
  const std::string blocks = R"(, "blocks": {"b": {"parameters": {"channels": null}, "layers": [
      {"op": "conv2d", "out_channels": "$channels", "kernel": 3}]}})";
  CHECK(layers_error(R"({"block": "c"})", blocks) == "m.json /layers/0/block: unknown block 'c' (did you mean 'b'?)");
  CHECK(layers_error(R"({"block": "b"})", blocks) == "m.json /layers/0/with: the parameter 'channels' is missing");
  CHECK(layers_error(R"({"block": "b", "with": {"chanels": 1}})", blocks) ==
        "m.json /layers/0/with/chanels: unknown parameter 'chanels' (did you mean 'channels'?)");
  CHECK(layers_error(R"({"block": "b", "repeats": 3})", blocks) ==
        "m.json /layers/0/repeats: unknown key 'repeats' (did you mean 'repeat'?), expected 'block', 'with', 'repeat', 'name', 'inputs' or "
        "'weights_of'");
  CHECK(layers_error(R"({"block": "b", "repeat": 1000000000})", blocks) ==
        "m.json /layers/0/repeat: found 1000000000, expected at most 1000");
  CHECK(layers_error(R"({"block": "b", "with": {"channels": "many"}})", blocks) ==
        "m.json /blocks/b/layers/0/out_channels: found \"many\", expected an integer");
  CHECK(layers_error(R"({"block": "b", "with": {"channels": 2}, "repeat": 4})", blocks) ==
        "m.json /blocks/b/layers/0: conv2d 'b.3.conv2d': the window [3,3] doesn't fit into x [1,2,2,2] with padding [0,0,0,0]");
  CHECK(layers_error(R"({"op": "relu", "name": "s"}, {"block": "b", "name": "s", "with": {"channels": 2}})", blocks) ==
        "m.json /layers/1/name: the name 's' is taken");
  CHECK(layers_error(R"({"op": "conv2d", "out_channels": "$n", "kernel": 3})") == "m.json /layers/0/out_channels: unknown parameter '$n'");
}

TEST_CASE("blocks within themselves, and models without end, are refused") {
  CHECK(layers_error(R"({"block": "b"})", R"(, "blocks": {"b": {"layers": [{"op": "relu"}, {"block": "b"}]}})") ==
        "m.json /blocks/b/layers/1/block: blocks are nested more than 16 deep, expected no block within itself");
  CHECK(layers_error(R"({"block": "b", "repeat": 1000})",
                     R"(, "blocks": {"b": {"layers": [{"block": "c", "repeat": 1000}]}, "c": {"layers": [{"op": "relu"}]}})") ==
        "m.json /blocks/c/layers/0: the model has more than 10000 layers");
}

TEST_CASE("several inputs and outputs, each with its name") {
  const std::string text = text_of(R"({
    "inputs": [{"name": "left", "shape": [3]}, {"name": "right", "shape": [4]}],
    "layers": [
      {"op": "linear", "name": "a", "features": 2},
      {"op": "linear", "name": "b", "features": 2, "inputs": ["right"]},
      {"op": "add", "name": "sum", "inputs": ["a", "b"]},
      {"op": "relu", "name": "cut_off"}],
    "outputs": ["sum", {"name": "logits", "layer": "a"}]})");
  INFO(text);
  CHECK(has_line(text, "%left = input : f32[1,3]"));
  CHECK(has_line(text, "%a = linear(%left, %a.weight, %a.bias) : f32[1,2]"));
  CHECK(has_line(text, "%b = linear(%right, %b.weight, %b.bias) : f32[1,2]"));
  CHECK(text.ends_with("output sum = %sum\noutput logits = %a\n"));
  const std::string one = text_of_layers(R"({"op": "relu", "name": "r"})");
  CHECK(one == text_of(R"({"inputs": [{"name": "x", "shape": [1, 8, 8]}], "layers": [{"op": "relu", "name": "r"}]})"));

  const auto error = [](const std::string& inputs, const std::string& layers, const std::string& more = "") {
    return strict_error("{" + inputs + R"("layers": [)" + layers + "]" + more + "}");
  };
  const std::string two = R"("inputs": [{"name": "x", "shape": [3]}, {"name": "y", "shape": [3]}], )";
  const std::string sum = R"({"op": "add", "name": "s", "inputs": ["x", "y"]})";
  CHECK(error(two, sum) == "no error");
  CHECK(error(R"("inputs": [], )", sum) == "m.json /inputs: found a list of 0, expected at least 1");
  CHECK(error(R"("input": {"shape": [3]}, )" + two, sum) == "m.json /inputs: stands beside 'input', expected one of them");
  CHECK(error(R"("inputs": [{"shape": [3]}], )", sum) == "m.json /inputs/0: the key 'name' is missing, expected a text (of the input)");
  CHECK(error(R"("inputs": [{"name": "x", "shape": [3]}, {"name": "x", "shape": [3]}], )", sum) ==
        "m.json /inputs/1: the name 'x' is taken");
  CHECK(error(two, R"({"op": "relu", "name": "r"})") ==
        "m.json /inputs/1: the input 'y' has no effect: nothing that leads to an output reads it; the output is 'r'");
  CHECK(error(two, R"({"op": "relu", "name": "r"}, )" + sum, R"(, "outputs": ["r"])") ==
        "m.json /inputs/1: the input 'y' has no effect: nothing that leads to an output reads it; the output is 'r'");
  CHECK(error(two, sum + R"(, {"op": "relu", "name": "r"}, {"op": "relu", "name": "q"})", R"(, "outputs": ["s", "q"])") == "no error");
  CHECK(error(two, sum + R"(, {"op": "relu", "name": "r"}, {"op": "abs", "name": "q", "inputs": ["s"]})", R"(, "outputs": ["s", "q"])") ==
        "m.json /layers/1: relu 'r' has no effect: no layer reads it, and the outputs are 's', 'q'");
  const auto outputs = [&](const std::string& list) {
    return error(two, sum + R"(, {"op": "relu", "name": "loss"})", R"(, "outputs": )" + list);
  };
  CHECK(outputs("[]") == "m.json /outputs: found a list of 0, expected at least 1");
  CHECK(outputs(R"("s")") == "m.json /outputs: found \"s\", expected a list");
  CHECK(outputs(R"(["s", 3])") == "m.json /outputs/1: found 3, expected a text or an object");
  CHECK(outputs(R"(["s", "t"])") == "m.json /outputs/1: unknown layer 't' (did you mean 's'?)");
  CHECK(outputs(R"(["s", "s"])") == "m.json /outputs/1: 's' is the output 's' already");
  CHECK(outputs(R"([{"name": "a", "layer": "s"}, {"name": "a", "layer": "loss"}])") ==
        "m.json /outputs/1: graph 'model': the output 'a' stands twice");
  CHECK(outputs(R"(["s", "loss"])") ==
        "m.json /outputs/1: 'loss' is what a training step calls an output of its own, expected another name, as {\"name\": …, "
        "\"layer\": …}");
  CHECK(outputs(R"(["s", {"name": "max:a", "layer": "loss"}])").starts_with("m.json /outputs/1/name: 'max:a' is what a training step"));
  CHECK(outputs(R"(["s", {"name": "", "layer": "loss"}])") == "m.json /outputs/1/name: found \"\", expected a name");
  CHECK(outputs(R"(["s", {"name": "a"}])") == "m.json /outputs/1: the key 'layer' is missing, expected a text (that yields it)");
  CHECK(error(two, sum, R"(, "output": "s", "outputs": ["s"])") == "m.json /outputs: stands beside 'output', expected one of them");
  CHECK(error(two, sum + R"(, {"op": "reduce_sum", "name": "all", "axes": [0]})", R"(, "outputs": ["s", "all"])")
            .starts_with("m.json /layers/1: reduce_sum 'all' mixes the examples of a batch"));
}

TEST_CASE("no output of a model is called what passes call outputs of a training step") {
  const ir::Graph model = readers::read_model(Json::parse(R"({"input": {"shape": [4]}, "layers": [
      {"op": "linear", "features": 3}, {"op": "batch_norm"}, {"op": "linear", "features": 2}]})"),
                                              "m.json", 1);
  for (const passes::StepPart part : {passes::StepPart::whole, passes::StepPart::shard, passes::StepPart::update}) {
    const ir::Graph step = passes::run(passes::quantized_training({}, {}, {}, {}, part), model);
    for (const ir::Output& output : step.outputs()) {
      INFO(output.name);
      CHECK(passes::is_output_of_training(output.name) == (output.name != "logits"));
    }
  }
}

TEST_CASE("layers and blocks share weights, each use with its own attributes and quantizers") {
  const std::string text = text_of_layers(R"(
      {"op": "conv2d", "name": "a", "out_channels": 1, "kernel": 3, "padding": 1},
      {"op": "conv2d", "name": "b", "out_channels": 1, "kernel": 3, "stride": 2, "weights_of": "a"},
      {"block": "tower", "name": "left"},
      {"block": "tower", "name": "right", "inputs": ["b"], "weights_of": "left"},
      {"op": "add", "inputs": ["left", "right"]})",
                                          R"(, "blocks": {
      "inner": {"layers": [
        {"op": "conv2d", "out_channels": 1, "kernel": 1, "bias": false},
        {"op": "batch_norm", "name": "bn"},
        {"op": "dropout"}]},
      "tower": {"layers": [
        {"block": "inner", "name": "i", "repeat": 2},
        {"op": "prelu", "name": "p"},
        {"op": "conv2d", "name": "again", "out_channels": 1, "kernel": 1, "bias": false, "weights_of": "i.0.conv2d"}]}
    })");
  INFO(text);
  CHECK(has_line(text, "%b = conv2d(%a, %a.weight, %a.bias) {stride=[2,2]} : f32[1,1,3,3]"));
  CHECK(has_line(text, "%left.i.0.conv2d = conv2d(%b, %left.i.0.conv2d.weight) : f32[1,1,3,3]"));
  CHECK(has_line(text, "%left.again = conv2d(%left.p, %left.i.0.conv2d.weight) : f32[1,1,3,3]"));
  CHECK(has_line(text, "%right.i.1.conv2d = conv2d(%right.i.0.dropout, %left.i.1.conv2d.weight) : f32[1,1,3,3]"));
  CHECK(has_line(text, "%right.p = prelu(%right.i.1.dropout, %left.p.slope) : f32[1,1,3,3]"));
  CHECK(has_line(text, "%right.again = conv2d(%right.p, %left.i.0.conv2d.weight) : f32[1,1,3,3]"));
  // What follows the data is each use's own.
  CHECK(has_line(text, "%right.i.0.bn.gamma = state parameter constant(1.0) : f32[1]"));
  CHECK(has_line(text, "update %right.i.1.bn.mean = %right.i.1.bn.new_mean"));
  CHECK(has_line(text, "update %right.i.0.dropout.counter = %right.i.0.dropout.next"));

  const auto after = [](const std::string& layer) {
    return layers_error(R"({"op": "conv2d", "name": "a", "out_channels": 2, "kernel": 3}, {"op": "batch_norm", "name": "bn"}, )" + layer,
                        R"(, "blocks": {"one": {"layers": [{"op": "relu"}]}, "two": {"layers": [{"op": "relu"}]}})");
  };
  const auto conv = [&](const std::string& more) { return after(R"({"op": "conv2d", "name": "b", "kernel": 3, )" + more + "}"); };
  CHECK(conv(R"("out_channels": 2, "weights_of": "a", "inputs": ["x"])") == "no error");
  CHECK(conv(R"("out_channels": 2, "weights_of": "a")") ==
        "m.json /layers/2: conv2d 'b' takes the weights of 'a', whose weight is f32[2,1,3,3], but needs f32[2,2,3,3]");
  CHECK(conv(R"("out_channels": 2, "weights_of": "a", "inputs": ["x"], "bias": false)") ==
        "m.json /layers/2: conv2d 'b' has no bias, but the layer whose weights it takes, 'a', has one");
  CHECK(conv(R"("out_channels": 2, "weights_of": "c")") == "m.json /layers/2/weights_of: unknown layer 'c' (did you mean 'a'?)");
  CHECK(conv(R"("out_channels": 2, "weights_of": "x")") == "m.json /layers/2/weights_of: found 'x', which is an input, expected a conv2d");
  CHECK(conv(R"("out_channels": 2, "weights_of": "bn")") ==
        "m.json /layers/2/weights_of: found 'bn', which is a batch_norm, expected a conv2d");
  CHECK(
      after(R"({"op": "batch_norm", "name": "bm", "weights_of": "bn"})") ==
      "m.json /layers/2/weights_of: batch_norm 'bm' can't share its states with 'bn': they follow what goes through it, which differs from "
      "use to use");
  CHECK(after(R"({"op": "relu", "weights_of": "a"})").starts_with("m.json /layers/2/weights_of: unknown key 'weights_of'"));
  const std::string blocks = R"({"block": "one", "name": "u"}, {"block": "two", "name": "v"}, )";
  CHECK(after(blocks + R"({"block": "one", "name": "w", "weights_of": "v"})") ==
        "m.json /layers/4/weights_of: 'v' is the block 'two', 1 time; expected 'one', 1 time");
  CHECK(after(blocks + R"({"block": "one", "name": "w", "weights_of": "u", "repeat": 2})") ==
        "m.json /layers/4/weights_of: 'u' is the block 'one', 1 time; expected 'one', 2 times");
  CHECK(after(blocks + R"({"block": "one", "name": "w", "weights_of": "a"})") ==
        "m.json /layers/4/weights_of: found 'a', expected a use of the block 'one' above (did you mean 'u'?)");
}

TEST_CASE("constants are operands of other layers, on integers too") {
  const std::string layers = R"(
      {"op": "constant", "name": "offset", "shape": [1, 8, 1], "values": [1, 2, 3, 4, -1, -2, -3, 0.5]},
      {"op": "constant", "name": "two", "value": 2},
      {"op": "tanh", "name": "t"},
      {"op": "add", "name": "sum", "inputs": ["t", "offset"]},
      {"op": "mul", "name": "product", "inputs": ["two", "sum"]},
      {"op": "flatten"},
      {"op": "linear", "name": "fc", "features": 10})";
  const std::string text = text_of_layers(layers);
  INFO(text);
  CHECK(has_line(text, "%offset = constant() {shape=[1,8,1], values=[1.0,2.0,3.0,4.0,-1.0,-2.0,-3.0,0.5]} : f32[1,8,1]"));
  CHECK(has_line(text, "%t = tanh(%x) : f32[1,1,8,8]"));  // a constant isn't the layer before
  CHECK(has_line(text, "%product = mul(%two, %sum) : f32[1,1,8,8]"));
  CHECK(ir::print(ir::parse(text, "text")) == text);
  const ir::Graph model = readers::read_model(Json::parse(R"({"input": {"shape": [1, 8, 8]}, "layers": [)" + layers + "]}"), "m.json", 5);
  for (const char* recipe : {R"("int8")", R"({"activations": {"observer": "lsq", "bits": 4}})"}) {
    CAPTURE(std::string(recipe));
    CHECK(passes::describe_float_islands(passes::run(passes::deployment(passes::recipe_from_json(recipe)), model)).empty());
    tests::QuantizedRun run = tests::quantized_run(ir::with_batch(model, 4), recipe, 2);
    const verification::Verification report = tests::verify_run(run);
    INFO(verification::describe(report));
    CHECK(report.holds());
  }
  const auto error = [](const std::string& keys) {
    return layers_error(R"({"op": "constant", "name": "c", )" + keys + R"(}, {"op": "add", "inputs": ["x", "c"]})");
  };
  CHECK(error(R"("value": 1)") == "no error");
  CHECK(error(R"("shape": [2], "values": [1, 2, 3])") == "m.json /layers/0: constant 'c': has 3 values for the shape [2]");
  CHECK(error(R"("values": [1], "value": 2)") == "m.json /layers/0: constant 'c': has a value and values, expected one of them");
  CHECK(error(R"("values": [1e300])") == "m.json /layers/0/values/0: found 1e+300, expected a number that binary32 holds");
  CHECK(error(R"("values": [1], "inputs": ["x"])") == "m.json /layers/0: constant 'c' reads 0 inputs, found 1");
  CHECK(error(R"("shape": [-3])").starts_with("m.json /layers/0: "));
  CHECK(layers_error(R"({"op": "constant", "name": "c", "shape": [1, 1, 8, 8]}, {"op": "concat", "name": "j", "inputs": ["x", "c"]})") ==
        "no error");
  CHECK(layers_error(R"({"op": "constant", "name": "c", "shape": [2, 1, 8, 8]}, {"op": "concat", "name": "j", "inputs": ["x", "c"]})") ==
        "m.json /layers/1: concat 'j' fixes the number of examples: with N of them it reads [N,1,8,8] and [2,1,8,8], which doesn't fit; "
        "expected what holds for any batch");
  CHECK(layers_error(R"({"op": "relu"}, {"op": "constant", "name": "c"})", R"(, "output": "c")") ==
        "m.json /output: the output 'logits' is [1] and depends on no input, expected dimension 0 to count the examples of a batch");
}

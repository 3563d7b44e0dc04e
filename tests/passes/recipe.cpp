#include "passes/recipe.h"

#include <doctest/doctest.h>

#include "ir/error.h"

using namespace stair::passes;

namespace {

std::string error_of(const std::string& json) {
  try {
    recipe_from_json(json);
  } catch (const stair::Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("every built-in recipe is valid and survives JSON") {
  for (const std::string& name : stair::ir::kind_names(recipe_spec())) {
    CAPTURE(name);
    const Recipe recipe = recipe_from_json("\"" + name + "\"");
    CHECK(recipe.name() == name);
    const std::string json = to_json(recipe);
    CHECK(to_json(recipe_from_json(json)) == json);
  }
}

TEST_CASE("a recipe changes parts of its base") {
  const Recipe r = recipe_from_json(R"({"base": "jacob2017", "name": "mine", "weights": {"bits": 4}})");
  CHECK(r.name() == "mine");
  CHECK(r.weights().integer("bits") == 4);
  CHECK(r.keys().text("requantization") == "fixed_point");
  CHECK(r.weights().text("granularity") == "per_tensor");
}

TEST_CASE("overrides match by pattern and the last one wins") {
  const Recipe r = recipe_from_json(R"({"overrides": [
    {"pattern": "conv*", "weight_bits": 4}, {"pattern": "conv?", "weight_bits": 3, "activation_bits": 6}, {"pattern": "fc", "skip": true}]})");
  CHECK(r.weight_bits_of("conv12") == 4);
  CHECK(r.weight_bits_of("conv1") == 3);
  CHECK(r.activation_bits_of({"conv1"}) == 6);
  CHECK(r.weight_bits_of("fc") == 8);
  CHECK(r.skips("fc"));
  CHECK(!r.skips("fc2"));
}

TEST_CASE("layers that share a quantizer have the bits of the last override that matches any of them, in whatever order they are named") {
  const auto bits = [](const std::string& overrides) {
    const Recipe r = recipe_from_json(R"({"overrides": [)" + overrides + "]}");
    CHECK(r.activation_bits_of({"relu", "bn", "conv"}) == r.activation_bits_of({"conv", "bn", "relu"}));
    return r.activation_bits_of({"relu", "bn", "conv"});
  };
  const std::string all = R"({"pattern": "*", "activation_bits": 6})";
  const std::string conv = R"({"pattern": "conv", "activation_bits": 2})";
  const std::string norm = R"({"pattern": "bn", "activation_bits": 8})";  // what the recipe has anyway
  const std::string relu = R"({"pattern": "relu", "activation_bits": 4})";
  CHECK(bits(all + "," + conv) == 2);
  CHECK(bits(conv + "," + all) == 6);
  CHECK(bits(conv + "," + relu) == 4);
  CHECK(bits(relu + "," + conv) == 2);
  CHECK(bits(relu + "," + norm) == 8);
  CHECK(bits(norm + "," + relu + "," + R"({"pattern": "bn", "weight_bits": 3})") == 4);
}

TEST_CASE("a later override takes an earlier one's skip back") {
  const Recipe r = recipe_from_json(R"({"overrides": [{"pattern": "fc*", "skip": true}, {"pattern": "fc2", "skip": false}]})");
  CHECK(r.skips("fc1"));
  CHECK(!r.skips("fc2"));
  CHECK(to_json(recipe_from_json(to_json(r))) == to_json(r));
}

TEST_CASE("ranges") {
  CHECK(weight_range(8, true).lo == -127);
  CHECK(weight_range(2, true).hi == 1);
  CHECK(weight_range(4, false).lo == -8);
  Recipe r;
  CHECK(r.activation_range(4).hi == 15);
  r.set("activations", "symmetric", true);
  CHECK(r.activation_range(8).lo == -127);
}

TEST_CASE("the fold follows from what it must go with, and is refused where it can't") {
  CHECK(recipe_from_json(R"({"weights": {"granularity": "per_tensor"}})").fold() == "weight");
  CHECK(recipe_from_json(R"({"requantization": "power_of_two"})").fold() == "weight");
  CHECK(error_of(R"({"requantization": "power_of_two", "batch_norm": {"fold": "scale"}})") ==
        "recipe /batch_norm/fold: found 'scale', whose factor is no power of two, with power-of-two requantization, expected 'weight' "
        "(N-BN-WEIGHT)");
}

TEST_CASE("errors name the place, what was found and what was expected") {
  CHECK(error_of("\"int9\"") ==
        "recipe /: found \"int9\" (did you mean 'int8'?), expected 'int8', 'classic', 'jacob2017', 'binaryconnect' or "
        "'binaryconnect_stochastic'");
  CHECK(error_of(R"({"weights": {"bits": 9}})") == "recipe /weights/bits: found 9, expected at most 8");
  CHECK(error_of(R"({"weights": {"bit": 8}})")
            .starts_with("recipe /weights/bit: unknown key 'bit' (did you mean 'bits'?), expected 'clip', "));
  CHECK(error_of(R"({"bias": "int23"})") == "recipe /bias: found \"int23\" (did you mean 'int32'?), expected 'int32' or 'float32'");
  CHECK(error_of(R"({"overrides": [{"skip": true}]})") ==
        "recipe /overrides/0: the key 'pattern' is missing, expected a text (a layer name with '*' and '?')");
  CHECK(error_of("{").starts_with("recipe:1:2: is not JSON: "));
  CHECK(error_of(std::string(100'000, '[')) == "recipe: is nested more than 100 deep");
}

TEST_CASE("patterns match as a plain search does, and many stars take no time") {
  CHECK(matches_pattern("", ""));
  CHECK(!matches_pattern("", "a"));
  CHECK(!matches_pattern("?", ""));
  CHECK(matches_pattern("*", ""));
  CHECK(matches_pattern("stage?.*.conv", "stage1.0.a.conv"));
  CHECK(!matches_pattern("stage?.*.conv", "stage12.0.a.conv"));
  CHECK(matches_pattern("*ab*ab", "abaab.abab"));
  CHECK(!matches_pattern("*ab*ab", "ab"));
  std::string stars;
  for (int i = 0; i < 200; ++i) stars += "*a";
  CHECK(!matches_pattern(stars + "b", std::string(5000, 'a')));
  CHECK(matches_pattern(stars, std::string(5000, 'a')));
}

TEST_CASE("keys of another method or observer are told of, and passed over") {
  std::vector<std::string> idle;
  const stair::ir::Json json =
      stair::ir::Json::parse(R"({"weights": {"stochastic": false, "bits": 4}, "activations": {"observer": "min_max", "momentum": 0.1}})");
  const Recipe r = read_recipe(json, "e.json", "/recipe", &idle);
  CHECK(r.weights().integer("bits") == 4);
  CHECK(!r.weights().has("stochastic"));
  CHECK(idle == std::vector<std::string>{
                    "e.json /recipe/weights/stochastic: has no effect with the method 'uniform', only with 'binary'",
                    "e.json /recipe/activations/momentum: has no effect with the observer 'min_max', only with 'moving_average'"});
  CHECK(error_of(R"({"weights": {"stochastic": 3}})") == "recipe /weights/stochastic: found 3, expected true or false");
}

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
  for (const std::string& name : recipe_names()) {
    CAPTURE(name);
    const Recipe recipe = recipe_from_json("\"" + name + "\"");
    CHECK(recipe.name == name);
    const std::string json = to_json(recipe);
    CHECK(to_json(recipe_from_json(json)) == json);
  }
}

TEST_CASE("a recipe changes parts of its base") {
  const Recipe r = recipe_from_json(R"({"base": "jacob2017", "name": "mine", "weights": {"bits": 4}})");
  CHECK(r.name == "mine");
  CHECK(r.weights.bits == 4);
  CHECK(r.requantization == Recipe::Requantization::fixed_point);
}

TEST_CASE("overrides match by pattern and the last one wins") {
  const Recipe r = recipe_from_json(R"({"overrides": [
    {"pattern": "conv*", "weight_bits": 4}, {"pattern": "conv?", "weight_bits": 3, "activation_bits": 6}, {"pattern": "fc", "skip": true}]})");
  CHECK(r.weight_bits_of("conv12") == 4);
  CHECK(r.weight_bits_of("conv1") == 3);
  CHECK(r.activation_bits_of("conv1") == 6);
  CHECK(r.weight_bits_of("fc") == 8);
  CHECK(r.skips("fc"));
  CHECK(!r.skips("fc2"));
}

TEST_CASE("ranges") {
  Recipe r;
  CHECK(r.weight_range(8).lo == -127);
  CHECK(r.weight_range(2).hi == 1);
  r.weights.narrow_range = false;
  CHECK(r.weight_range(4).lo == -8);
  CHECK(r.activation_range(4).hi == 15);
  r.activations.symmetric = true;
  CHECK(r.activation_range(8).lo == -127);
}

TEST_CASE("the fold follows from what it must go with, and is refused where it can't") {
  CHECK(recipe_from_json(R"({"weights": {"granularity": "per_tensor"}})").fold == Recipe::Fold::weight);
  CHECK(recipe_from_json(R"({"requantization": "power_of_two"})").fold == Recipe::Fold::weight);
  CHECK(error_of(R"({"requantization": "power_of_two", "batch_norm": {"fold": "scale"}})") ==
        "recipe /batch_norm/fold: found 'scale', whose factor is no power of two, with power-of-two requantization, expected 'weight' "
        "(N-BN-WEIGHT)");
}

TEST_CASE("errors name the place, what was found and what was expected") {
  CHECK(error_of("\"int9\"") ==
        "recipe /: unknown recipe 'int9' (did you mean 'int8'?), expected 'int8', 'classic', 'jacob2017', 'binaryconnect' or "
        "'binaryconnect_stochastic'");
  CHECK(error_of(R"({"weights": {"bits": 9}})") == "recipe /weights/bits: found 9 bits, expected 2 to 8");
  CHECK(
      error_of(R"({"weights": {"bit": 8}})").starts_with("recipe /weights: unknown key 'bit' (did you mean 'bits'?), expected 'method', "));
  CHECK(error_of(R"({"bias": "int23"})") == "recipe /bias: found \"int23\", expected 'int32' or 'float32' (did you mean 'int32'?)");
  CHECK(error_of(R"({"overrides": [{"skip": true}]})") ==
        "recipe /overrides/0: the key 'pattern' is missing, expected a layer name with '*' and '?'");
  CHECK(error_of("{").starts_with("recipe:1:2: is not JSON: "));
  CHECK(error_of(std::string(100'000, '[')) == "recipe: is nested more than 100 deep");
}

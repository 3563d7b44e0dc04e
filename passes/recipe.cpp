#include "passes/recipe.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "ir/error.h"
#include "ir/estimator.h"
#include "ir/json_object.h"
#include "passes/quantizer.h"
#include "passes/range_estimator.h"

namespace stair::passes {
namespace {

using ir::Attributes;
using ir::AttributeSpec;
using ir::choice;
using ir::Object;

// A recipe that others may be based on: the members in which it differs from int8.
struct BuiltIn {
  std::string name;
  std::string doc;
  Attributes keys;
};

const std::vector<BuiltIn>& built_in() {
  const auto text = [](const char* value) { return std::string(value); };
  const auto binaryconnect = [&](bool stochastic) -> Attributes {
    return {{"weights", Object({{"method", text("binary")},
                                {"stochastic", stochastic},
                                {"binary_inference", !stochastic},
                                {"clip", 1.0},
                                {"glorot_lr_scale", true}})},
            {"activations", Object({{"observer", text("moving_average")}, {"bits", std::int64_t{0}}})},
            {"bias", text("float32")},
            {"estimator", text("plain")}};
  };
  static const std::vector<BuiltIn> all{
      {"int8", "8-bit per-channel weights, 8-bit affine activations, int32 bias", {}},
      {"classic",
       "the textbook's method: gradients pass the quantizers unchanged onto latent weights",
       {{"weights", Object({{"method", text("uniform")}, {"granularity", text("per_tensor")}})},
        {"bias", text("float32")},
        {"estimator", text("plain")},
        {"backward", text("latent")},
        {"batch_norm", Object({{"fold", text("weight")}})}}},
      {"jacob2017",
       "Jacob et al. 2017",
       {{"weights", Object({{"method", text("uniform")}, {"granularity", text("per_tensor")}})},
        {"requantization", text("fixed_point")},
        {"batch_norm", Object({{"fold", text("weight")}})},
        {"quantize_output", true},
        {"schedule", Object({{"activation_delay_steps", std::int64_t{500}}, {"freeze_batch_norm_epoch", 1.0}})}}},
      {"binaryconnect", "Courbariaux, Bengio, David 2015: weights of +1 and -1 by their sign", binaryconnect(false)},
      {"binaryconnect_stochastic", "the same by chance, evaluated with the latent weights", binaryconnect(true)}};
  return all;
}

AttributeSpec weights_spec() {
  return {.name = "weights",
          .doc = "how they become integers",
          .fallback = Object({{"method", std::string("uniform")}}),
          .members = {{.name = "clip",
                       .doc = "latent weights are clipped to [-clip, clip] after each update; 0: not",
                       .fallback = 0.0,
                       .bounds = ir::at_least(0)},
                      {.name = "glorot_lr_scale",
                       .doc = "learning rate times the inverse Glorot coefficient, for sgd times its square (Courbariaux 2015, 2.5)",
                       .fallback = false}},
          .kinds = [] { return ir::kinds_of(quantizers()); },
          .kind_key = "method"};
}

AttributeSpec activations_spec() {
  return {.name = "activations",
          .doc = "how they become integers: the range is what an observer has seen",
          .fallback = Object({{"observer", std::string("moving_average")}}),
          .members = {{.name = "bits", .doc = "2 to 8; 0: they stay floats", .fallback = std::int64_t{8}, .bounds = ir::within(0, 8)},
                      {.name = "symmetric", .doc = "signed with zero point 0 instead of unsigned affine", .fallback = false}},
          .kinds = [] { return ir::kinds_of(range_estimators()); },
          .kind_key = "observer"};
}

AttributeSpec overrides_spec() {
  const auto optional = [](std::string name, std::string doc, ir::Attribute type, ir::Bounds bounds) {
    return AttributeSpec{.name = std::move(name), .doc = std::move(doc), .fallback = std::move(type), .bounds = bounds, .optional = true};
  };
  return {.name = "overrides",
          .doc = "for layers whose name matches a pattern; of those that set the same of a layer, the last one wins",
          .fallback = std::vector<Object>(),
          .members = {{.name = "pattern", .doc = "a layer name with '*' and '?'", .fallback = std::string(), .required = true},
                      optional("weight_bits", "of the layer's weights", std::int64_t{}, ir::within(2, 8)),
                      optional("activation_bits", "of the layer's output; 0: it stays float", std::int64_t{}, ir::within(0, 8)),
                      optional("skip", "the layer computes in float, on dequantized operands", false, {})},
          .optional = true};
}

AttributeSpec schedule_spec_of_recipe() {
  const auto epoch = [](std::string name, std::string doc) {
    return AttributeSpec{.name = std::move(name), .doc = std::move(doc), .fallback = -1.0};
  };
  return {.name = "schedule",
          .doc = "of a qat stage",
          .fallback = Object(),
          .members = {{.name = "activation_delay_steps",
                       .doc = "steps that quantize weights only, while observers watch",
                       .fallback = std::int64_t{0},
                       .bounds = ir::at_least(0)},
                      epoch("freeze_observers_epoch", "ranges stay as they are from this epoch on; negative: never"),
                      epoch("freeze_batch_norm_epoch", "running statistics from this epoch on; negative: never")}};
}

std::vector<AttributeSpec> members_of(const BuiltIn& base) {
  AttributeSpec fold = choice("fold", "batch-norm's factor in the scale (N-BN-SCALE) or the weights (N-BN-WEIGHT)", {"scale", "weight"});
  fold.optional = true;  // it follows from what it must go with
  std::vector<AttributeSpec> members{
      {.name = "name", .doc = "shown in reports", .fallback = base.name},
      weights_spec(),
      activations_spec(),
      choice("bias", "N-BIAS", {"int32", "float32"}),
      choice("requantization", "N-REQ", {"float", "fixed_point", "power_of_two"}),
      {.name = "estimator",
       .doc = "the straight-through estimator of the quantizers' gradient",
       .fallback = std::string("clipped"),
       .choices = ir::estimators().names()},
      choice("backward", "which weights the backward pass multiplies by", {"quantized", "latent"}),
      {.name = "batch_norm",
       .doc = "how it becomes integers",
       .fallback = Object(),
       .members = {fold, choice("alone", "where it has no layer to fold into: on integers (N-AFFINE) or in float", {"integer", "float"})}},
      choice("normalization", "softmax, layer_norm, group_norm, instance_norm: on integers (N-SOFTMAX, N-NORM) or in float",
             {"integer", "float"}),
      {.name = "quantize_output", .doc = "quantize the model's outputs too; else they are floats (N-LOGITS)", .fallback = false},
      overrides_spec(),
      schedule_spec_of_recipe()};
  for (AttributeSpec& member : members) {
    if (base.keys.has(member.name)) member.fallback = base.keys.at(member.name);
  }
  return members;
}

std::vector<Attributes> overrides_of(const Attributes& keys) {
  std::vector<Attributes> all;
  if (!keys.has("overrides")) return all;
  for (const Object& item : keys.objects("overrides")) all.push_back(item.members());
  return all;
}

// Why batch-norm can't fold into the scale under this recipe; "" if it can.
std::string against_scale(const Recipe& r) {
  const Attributes& weights = r.weights();
  if (weights.has("granularity") && weights.text("granularity") == "per_tensor")
    return "which gives every channel a scale of its own, with per-tensor weights";
  if (r.powers_of_two()) return "whose factor is no power of two, with power-of-two requantization";
  if (weights.has("narrow_range") && !weights.boolean("narrow_range")) return "which negates weights, with a range that isn't narrow";
  return "";
}

}  // namespace

Recipe::Recipe() : Recipe(Attributes{}) {}

Recipe::Recipe(Attributes keys, const std::string& where) {
  const auto fail = [&](const std::string& pointer, const std::string& message) { throw Error(where + pointer + ": " + message); };
  const auto check_bits = [&](const std::string& pointer, std::int64_t bits) {
    if (bits == 1) fail(pointer, "found 1, expected 2 to 8, or 0 for float");
  };
  const Attributes complete = ir::completed({recipe_spec()}, {{"recipe", Object(std::move(keys))}}, "", "key");
  keys_ = complete.object("recipe");
  const std::string reason = against_scale(*this);
  if (!keys_.object("batch_norm").has("fold")) set("batch_norm", "fold", std::string(reason.empty() ? "scale" : "weight"));
  if (fold() == "scale" && !reason.empty()) fail("/batch_norm/fold", "found 'scale', " + reason + ", expected 'weight' (N-BN-WEIGHT)");
  check_bits("/activations/bits", activations().integer("bits"));
  const std::vector<Attributes> overrides = overrides_of(keys_);
  for (std::size_t i = 0; i < overrides.size(); ++i) {
    if (overrides[i].has("activation_bits"))
      check_bits(fmt::format("/overrides/{}/activation_bits", i), overrides[i].integer("activation_bits"));
  }
  const Quantizer& quantizer = quantizers().named(weights().text("method"), "method");
  if (powers_of_two() && !quantizer.powers_of_two) {
    fail("/requantization",
         "found 'power_of_two' with " + quantizer.name + " weights, expected 'float' or 'fixed_point' (their scales are no powers of two)");
  }
  if (powers_of_two() && quantizes_activations() && activations().text("observer") == "fixed")
    fail("/requantization", "found 'power_of_two' with the observer 'fixed', expected 'float' or 'fixed_point' (its scales are any)");
  if (quantizer.float_activations && quantizes_activations()) {
    fail("/activations/bits", fmt::format("found {} with {} weights, expected 0 (their activations stay floats)",
                                          activations().integer("bits"), quantizer.name));
  }
}

void Recipe::set(const std::string& key, ir::Attribute value) {
  keys_.set(key, std::move(value));
}

void Recipe::set(const std::string& object, const std::string& member, ir::Attribute value) {
  Attributes members = keys_.object(object);
  members.set(member, std::move(value));
  keys_.set(object, Object(std::move(members)));
}

int Recipe::weight_bits_of(std::string_view layer) const {
  if (!weights().has("bits")) return 0;
  std::int64_t bits = weights().integer("bits");
  for (const Attributes& o : overrides_of(keys_)) {
    if (o.has("weight_bits") && matches_pattern(o.text("pattern"), layer)) bits = o.integer("weight_bits");
  }
  return static_cast<int>(bits);
}

int Recipe::activation_bits_of(const std::vector<std::string>& layers) const {
  std::int64_t bits = activations().integer("bits");
  for (const Attributes& o : overrides_of(keys_)) {
    const auto matched = [&o](const std::string& layer) { return matches_pattern(o.text("pattern"), layer); };
    if (o.has("activation_bits") && std::any_of(layers.begin(), layers.end(), matched)) bits = o.integer("activation_bits");
  }
  return static_cast<int>(bits);
}

bool Recipe::skips(std::string_view layer) const {
  bool skip = false;
  for (const Attributes& o : overrides_of(keys_)) {
    if (o.has("skip") && matches_pattern(o.text("pattern"), layer)) skip = o.boolean("skip");
  }
  return skip;
}

ir::Range weight_range(int bits, bool narrow) {
  const std::int32_t top = (1 << (bits - 1)) - 1;
  return {narrow ? -top : -top - 1, top};
}

ir::Range Recipe::activation_range(int bits) const {
  if (!activations().boolean("symmetric")) return {0, (1 << bits) - 1};
  return weight_range(bits, true);
}

const AttributeSpec& recipe_spec() {
  static const AttributeSpec spec{.name = "recipe",
                                  .doc = "how the model is quantized (docs/recipes.md): a name, or an object",
                                  .fallback = Object({{"base", std::string("int8")}}),
                                  .kinds =
                                      [] {
                                        std::vector<ir::KindSpec> kinds;
                                        for (const BuiltIn& base : built_in()) kinds.push_back({base.name, base.doc, members_of(base)});
                                        return kinds;
                                      },
                                  .kind_key = "base",
                                  .name_stands = true};
  return spec;
}

bool matches_pattern(std::string_view pattern, std::string_view name) {
  std::size_t p = 0;
  std::size_t n = 0;
  // Where the last '*' stands, and up to where of the name it reaches: nothing before it needs to be tried again.
  std::size_t star = std::string_view::npos;
  std::size_t reach = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      reach = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++reach;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

Recipe read_recipe(const ir::Json& json, const std::string& source, const std::string& pointer, std::vector<std::string>* idle) {
  std::vector<std::string> passed_over;
  const ir::Attribute read = ir::read_value(json, recipe_spec(), source, pointer, idle == nullptr ? &passed_over : idle);
  return Recipe(std::get<Object>(read).members(), source + " " + pointer);
}

Recipe recipe_from_json(std::string_view text) {
  return read_recipe(ir::parse_json(text, "recipe"), "recipe", "");
}

bool states_normalization(std::string_view text) {
  return ir::parse_json(text, "recipe").contains("normalization");
}

std::string to_json(const Recipe& recipe) {
  ir::Json json = ir::json_of(recipe_spec(), recipe.keys());
  json.erase("base");  // all that it said stands there
  return json.dump(2);
}

}  // namespace stair::passes

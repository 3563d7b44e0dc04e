#include "passes/recipe.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "ir/error.h"

namespace stair::passes {
namespace {

using nlohmann::ordered_json;

template <class Enum, std::size_t N>
using Names = std::array<std::pair<Enum, const char*>, N>;

constexpr Names<Recipe::WeightMethod, 2> method_names{
    {{Recipe::WeightMethod::uniform, "uniform"}, {Recipe::WeightMethod::binary, "binary"}}};
constexpr Names<Recipe::Granularity, 2> granularity_names{
    {{Recipe::Granularity::per_tensor, "per_tensor"}, {Recipe::Granularity::per_channel, "per_channel"}}};
constexpr Names<Recipe::ObserverKind, 2> observer_names{
    {{Recipe::ObserverKind::min_max, "min_max"}, {Recipe::ObserverKind::moving_average, "moving_average"}}};
constexpr Names<Recipe::Estimator, 2> estimator_names{{{Recipe::Estimator::plain, "plain"}, {Recipe::Estimator::clipped, "clipped"}}};
constexpr Names<Recipe::Backward, 2> backward_names{{{Recipe::Backward::quantized, "quantized"}, {Recipe::Backward::latent, "latent"}}};
constexpr Names<Recipe::BiasKind, 2> bias_names{{{Recipe::BiasKind::int32, "int32"}, {Recipe::BiasKind::float32, "float32"}}};
constexpr Names<Recipe::Requantization, 3> requantization_names{{{Recipe::Requantization::floating, "float"},
                                                                 {Recipe::Requantization::fixed_point, "fixed_point"},
                                                                 {Recipe::Requantization::power_of_two, "power_of_two"}}};
constexpr Names<bool, 2> alone_names{{{true, "integer"}, {false, "float"}}};
constexpr Names<Recipe::Fold, 2> fold_names{{{Recipe::Fold::scale, "scale"}, {Recipe::Fold::weight, "weight"}}};

template <class Enum, std::size_t N>
const char* name_in(const Names<Enum, N>& names, Enum value) {
  for (const auto& [known, name] : names) {
    if (known == value) return name;
  }
  throw InternalError("a recipe's value has no name");
}

[[noreturn]] void fail(const std::string& pointer, const std::string& message) {
  throw Error("recipe " + pointer + ": " + message);
}

// Reads one JSON object: each key is asked for once by its name, and what nobody asked for is unknown.
class Reader {
 public:
  Reader(const ordered_json& json, std::string pointer) : json_(json), pointer_(std::move(pointer)) {
    if (!json.is_object()) fail(where(), fmt::format("found {}, expected an object", json.dump()));
  }

  void number(const char* key, double& out) {
    if (const ordered_json* v = take(key)) {
      if (!v->is_number()) wrong(key, *v, "a number");
      out = v->get<double>();
    }
  }
  template <class Integer>
  void integer(const char* key, Integer& out) {
    if (const ordered_json* v = take(key)) {
      if (!v->is_number_integer()) wrong(key, *v, "an integer");
      out = v->get<Integer>();
    }
  }
  void integer(const char* key, std::optional<int>& out) {
    int value = 0;
    const bool given = json_.contains(key);
    integer(key, value);
    if (given) out = value;
  }
  void boolean(const char* key, bool& out) {
    if (const ordered_json* v = take(key)) {
      if (!v->is_boolean()) wrong(key, *v, "true or false");
      out = v->get<bool>();
    }
  }
  void boolean(const char* key, std::optional<bool>& out) {
    bool value = false;
    const bool given = json_.contains(key);
    boolean(key, value);
    if (given) out = value;
  }
  void text(const char* key, std::string& out) {
    if (const ordered_json* v = take(key)) {
      if (!v->is_string()) wrong(key, *v, "a text");
      out = v->get<std::string>();
    }
  }
  template <class Enum, std::size_t N>
  void choice(const char* key, const Names<Enum, N>& names, Enum& out) {
    const ordered_json* v = take(key);
    if (v == nullptr) return;
    std::vector<std::string> all;
    for (const auto& [value, name] : names) {
      if (v->is_string() && v->get<std::string>() == name) {
        out = value;
        return;
      }
      all.emplace_back(name);
    }
    wrong(key, *v, one_of(all) + (v->is_string() ? did_you_mean(v->get<std::string>(), all) : ""));
  }
  const ordered_json* take(const char* key) {
    known_.emplace_back(key);
    const auto it = json_.find(key);
    return it == json_.end() ? nullptr : &*it;
  }
  std::string child(const std::string& key) const { return pointer_ + "/" + key; }
  void finish() const {
    for (const auto& [key, value] : json_.items()) {
      bool is_known = false;
      for (const std::string& name : known_) is_known = is_known || name == key;
      if (!is_known) fail(where(), fmt::format("unknown key '{}'{}, expected {}", key, did_you_mean(key, known_), one_of(known_)));
    }
  }

 private:
  std::string where() const { return pointer_.empty() ? "/" : pointer_; }
  [[noreturn]] void wrong(const char* key, const ordered_json& found, const std::string& expected) const {
    fail(child(key), fmt::format("found {}, expected {}", found.dump(), expected));
  }

  const ordered_json& json_;
  std::string pointer_;
  std::vector<std::string> known_;
};

Recipe classic() {
  Recipe r;
  r.name = "classic";
  r.weights.granularity = Recipe::Granularity::per_tensor;
  r.activations.observer = Recipe::ObserverKind::moving_average;
  r.bias = Recipe::BiasKind::float32;
  r.estimator = Recipe::Estimator::plain;
  r.backward = Recipe::Backward::latent;
  r.fold = Recipe::Fold::weight;
  return r;
}

Recipe jacob2017() {
  Recipe r;
  r.name = "jacob2017";
  r.weights.granularity = Recipe::Granularity::per_tensor;
  r.activations.momentum = 0.01;
  r.requantization = Recipe::Requantization::fixed_point;
  r.fold = Recipe::Fold::weight;
  r.quantize_output = true;
  r.activation_delay_steps = 500;
  r.freeze_batch_norm_epoch = 1;
  return r;
}

Recipe binaryconnect(bool stochastic) {
  Recipe r;
  r.name = stochastic ? "binaryconnect_stochastic" : "binaryconnect";
  r.weights.method = Recipe::WeightMethod::binary;
  r.weights.stochastic = stochastic;
  r.weights.binary_inference = !stochastic;
  r.weights.clip = 1;
  r.weights.glorot_lr_scale = true;
  r.activations.bits = 0;
  r.bias = Recipe::BiasKind::float32;
  r.estimator = Recipe::Estimator::plain;
  return r;
}

Recipe built_in(const std::string& name, const std::string& pointer) {
  if (name == "int8") return {};
  if (name == "classic") return classic();
  if (name == "jacob2017") return jacob2017();
  if (name == "binaryconnect") return binaryconnect(false);
  if (name == "binaryconnect_stochastic") return binaryconnect(true);
  fail(pointer, fmt::format("unknown recipe '{}'{}, expected {}", name, did_you_mean(name, recipe_names()), one_of(recipe_names())));
}

void read_overrides(const ordered_json& list, const std::string& pointer, std::vector<Recipe::Override>& out) {
  if (!list.is_array()) fail(pointer, fmt::format("found {}, expected a list", list.dump()));
  out.clear();
  for (std::size_t i = 0; i < list.size(); ++i) {
    Reader item(list[i], fmt::format("{}/{}", pointer, i));
    Recipe::Override made;
    item.text("pattern", made.pattern);
    item.integer("weight_bits", made.weight_bits);
    item.integer("activation_bits", made.activation_bits);
    item.boolean("skip", made.skip);
    item.finish();
    if (made.pattern.empty())
      fail(fmt::format("{}/{}", pointer, i), "the key 'pattern' is missing, expected a layer name with '*' and '?'");
    out.push_back(std::move(made));
  }
}

void read(const ordered_json& json, Recipe& r) {
  Reader top(json, "");
  std::string base;
  top.text("base", base);
  if (!base.empty()) r = built_in(base, "/base");
  top.text("name", r.name);
  if (const ordered_json* w = top.take("weights")) {
    Reader weights(*w, "/weights");
    weights.choice("method", method_names, r.weights.method);
    weights.integer("bits", r.weights.bits);
    weights.choice("granularity", granularity_names, r.weights.granularity);
    weights.boolean("narrow_range", r.weights.narrow_range);
    weights.boolean("stochastic", r.weights.stochastic);
    weights.boolean("binary_inference", r.weights.binary_inference);
    weights.number("clip", r.weights.clip);
    weights.boolean("glorot_lr_scale", r.weights.glorot_lr_scale);
    weights.finish();
  }
  if (const ordered_json* a = top.take("activations")) {
    Reader activations(*a, "/activations");
    activations.integer("bits", r.activations.bits);
    activations.boolean("symmetric", r.activations.symmetric);
    activations.choice("observer", observer_names, r.activations.observer);
    activations.number("momentum", r.activations.momentum);
    activations.finish();
  }
  top.choice("bias", bias_names, r.bias);
  top.choice("requantization", requantization_names, r.requantization);
  top.choice("estimator", estimator_names, r.estimator);
  top.choice("backward", backward_names, r.backward);
  // Scales that the batch-norm factor can't enter need the fold into the weights; it is their default.
  if (r.weights.granularity == Recipe::Granularity::per_tensor || r.requantization == Recipe::Requantization::power_of_two ||
      !r.weights.narrow_range) {
    r.fold = Recipe::Fold::weight;
  }
  if (const ordered_json* b = top.take("batch_norm")) {
    Reader batch_norm(*b, "/batch_norm");
    batch_norm.choice("fold", fold_names, r.fold);
    batch_norm.choice("alone", alone_names, r.integer_norms);
    batch_norm.finish();
  }
  top.boolean("quantize_output", r.quantize_output);
  if (const ordered_json* o = top.take("overrides")) read_overrides(*o, "/overrides", r.overrides);
  if (const ordered_json* s = top.take("schedule")) {
    Reader schedule(*s, "/schedule");
    schedule.integer("activation_delay_steps", r.activation_delay_steps);
    schedule.number("freeze_observers_epoch", r.freeze_observers_epoch);
    schedule.number("freeze_batch_norm_epoch", r.freeze_batch_norm_epoch);
    schedule.finish();
  }
  top.finish();
}

void check_bits(const std::string& pointer, int bits, bool zero_allowed) {
  if ((bits >= 2 && bits <= 8) || (zero_allowed && bits == 0)) return;
  fail(pointer, fmt::format("found {} bits, expected 2 to 8{}", bits, zero_allowed ? ", or 0 for float" : ""));
}

}  // namespace

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

int Recipe::weight_bits_of(std::string_view layer) const {
  int bits = weights.bits;
  for (const Override& o : overrides) {
    if (o.weight_bits && matches_pattern(o.pattern, layer)) bits = *o.weight_bits;
  }
  return bits;
}

int Recipe::activation_bits_of(const std::vector<std::string>& layers) const {
  int bits = activations.bits;
  for (const Override& o : overrides) {
    const auto matched = [&o](const std::string& layer) { return matches_pattern(o.pattern, layer); };
    if (o.activation_bits && std::any_of(layers.begin(), layers.end(), matched)) bits = *o.activation_bits;
  }
  return bits;
}

bool Recipe::skips(std::string_view layer) const {
  bool skip = false;
  for (const Override& o : overrides) {
    if (o.skip && matches_pattern(o.pattern, layer)) skip = *o.skip;
  }
  return skip;
}

ir::Range Recipe::weight_range(int bits) const {
  const std::int32_t top = (1 << (bits - 1)) - 1;
  return {weights.narrow_range ? -top : -top - 1, top};
}

ir::Range Recipe::activation_range(int bits) const {
  if (!activations.symmetric) return {0, (1 << bits) - 1};
  const std::int32_t top = (1 << (bits - 1)) - 1;
  return {-top, top};
}

void validate(const Recipe& r) {
  check_bits("/weights/bits", r.weights.bits, false);
  check_bits("/activations/bits", r.activations.bits, true);
  for (std::size_t i = 0; i < r.overrides.size(); ++i) {
    const std::string pointer = fmt::format("/overrides/{}", i);
    if (r.overrides[i].weight_bits) check_bits(pointer + "/weight_bits", *r.overrides[i].weight_bits, false);
    if (r.overrides[i].activation_bits) check_bits(pointer + "/activation_bits", *r.overrides[i].activation_bits, true);
  }
  if (!(r.activations.momentum > 0 && r.activations.momentum <= 1)) {
    fail("/activations/momentum", fmt::format("found {}, expected a share of the new batch above 0 and at most 1", r.activations.momentum));
  }
  if (r.weights.clip < 0) fail("/weights/clip", fmt::format("found {}, expected 0 (no clipping) or a positive bound", r.weights.clip));
  if (r.activation_delay_steps < 0) {
    fail("/schedule/activation_delay_steps", fmt::format("found {}, expected at least 0", r.activation_delay_steps));
  }
  if (r.fold == Recipe::Fold::scale) {
    const char* const expected = "expected 'weight' (N-BN-WEIGHT)";
    if (r.weights.granularity == Recipe::Granularity::per_tensor) {
      fail("/batch_norm/fold",
           std::string("found 'scale', which gives every channel a scale of its own, with per-tensor weights, ") + expected);
    }
    if (r.requantization == Recipe::Requantization::power_of_two) {
      fail("/batch_norm/fold",
           std::string("found 'scale', whose factor is no power of two, with power-of-two requantization, ") + expected);
    }
    if (!r.weights.narrow_range) {
      fail("/batch_norm/fold", std::string("found 'scale', which negates weights, with a range that isn't narrow, ") + expected);
    }
  }
  if (r.weights.method == Recipe::WeightMethod::binary && r.activations.bits != 0) {
    fail("/activations/bits",
         fmt::format("found {} with binary weights, expected 0 (BinaryConnect keeps float activations)", r.activations.bits));
  }
}

Recipe recipe_from_json(std::string_view text) {
  ordered_json json;
  try {
    json = ordered_json::parse(text);
  } catch (const ordered_json::parse_error& error) {
    throw Error(fmt::format("recipe: no JSON at byte {}", error.byte));
  }
  Recipe recipe;
  if (json.is_string()) {
    recipe = built_in(json.get<std::string>(), "/");
  } else {
    read(json, recipe);
  }
  validate(recipe);
  return recipe;
}

std::string to_json(const Recipe& r) {
  ordered_json overrides = ordered_json::array();
  for (const Recipe::Override& o : r.overrides) {
    ordered_json item = {{"pattern", o.pattern}};
    if (o.weight_bits) item["weight_bits"] = *o.weight_bits;
    if (o.activation_bits) item["activation_bits"] = *o.activation_bits;
    if (o.skip) item["skip"] = *o.skip;
    overrides.push_back(std::move(item));
  }
  const ordered_json json = {{"name", r.name},
                             {"weights",
                              {{"method", name_in(method_names, r.weights.method)},
                               {"bits", r.weights.bits},
                               {"granularity", name_in(granularity_names, r.weights.granularity)},
                               {"narrow_range", r.weights.narrow_range},
                               {"stochastic", r.weights.stochastic},
                               {"binary_inference", r.weights.binary_inference},
                               {"clip", r.weights.clip},
                               {"glorot_lr_scale", r.weights.glorot_lr_scale}}},
                             {"activations",
                              {{"bits", r.activations.bits},
                               {"symmetric", r.activations.symmetric},
                               {"observer", name_in(observer_names, r.activations.observer)},
                               {"momentum", r.activations.momentum}}},
                             {"bias", name_in(bias_names, r.bias)},
                             {"requantization", name_in(requantization_names, r.requantization)},
                             {"estimator", name_in(estimator_names, r.estimator)},
                             {"backward", name_in(backward_names, r.backward)},
                             {"batch_norm", {{"fold", name_in(fold_names, r.fold)}, {"alone", name_in(alone_names, r.integer_norms)}}},
                             {"quantize_output", r.quantize_output},
                             {"overrides", std::move(overrides)},
                             {"schedule",
                              {{"activation_delay_steps", r.activation_delay_steps},
                               {"freeze_observers_epoch", r.freeze_observers_epoch},
                               {"freeze_batch_norm_epoch", r.freeze_batch_norm_epoch}}}};
  return json.dump(2);
}

std::vector<std::string> recipe_names() {
  return {"int8", "classic", "jacob2017", "binaryconnect", "binaryconnect_stochastic"};
}

}  // namespace stair::passes

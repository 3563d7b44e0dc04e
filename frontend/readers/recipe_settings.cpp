#include "frontend/readers/recipe_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "ir/attribute_spec.h"
#include "ir/error.h"
#include "ir/text.h"
#include "passes/pass.h"
#include "passes/pipelines.h"
#include "passes/recipe.h"

namespace stair::readers {
namespace {

using passes::Recipe;

// Values for a key, of which at least one changes what a model computes wherever the key means anything.
std::vector<Json> other_values(const ir::AttributeSpec& spec) {
  if (!spec.choices.empty()) return {spec.choices.begin(), spec.choices.end()};
  if (std::holds_alternative<bool>(spec.fallback)) return {true, false};
  const double width = std::isfinite(spec.bounds.high) ? spec.bounds.high - spec.bounds.low : 1;
  if (std::holds_alternative<std::int64_t>(spec.fallback)) {
    const auto least = static_cast<std::int64_t>(spec.bounds.low);
    return {least + static_cast<std::int64_t>(width / 6) + 2, least + static_cast<std::int64_t>(width) - 1};
  }
  return {spec.bounds.low + width / 4, spec.bounds.low + width / 2};
}

struct OverrideKey {
  const char* key;
  std::vector<Json> values;
  const char* lacking;  // what the layers don't have where nothing changes
};

const std::vector<OverrideKey>& override_keys() {
  static const std::vector<OverrideKey> keys{
      {"weight_bits", {3, 7}, "no weights that this recipe quantizes to so many bits"},
      {"activation_bits", {3, 7}, "no quantizer behind it"},
      {"skip", {true, false}, "nothing that is quantized"},
  };
  return keys;
}

class Checker {
 public:
  Checker(const Json& given, const ir::Graph& model, const RecipeUse& use, std::string where)
      : given_(given), model_(model), use_(use), where_(std::move(where)) {}

  void run() const {
    const Json overrides = given_.value("overrides", Json::array());
    for (std::size_t i = 0; i < overrides.size(); ++i) check_override(overrides, i);
    if (const std::optional<Recipe> recipe = recipe_of(given_)) {
      std::vector<Baseline> baselines{baseline(given_)};
      if (!overrides.empty()) baselines.push_back(baseline(with_overrides(skips_of(overrides))));
      check_keys(given_, ir::members_of(passes::recipe_spec(), recipe->keys().text("base")), recipe->keys(), "", baselines);
    }
    check_phases();
  }

 private:
  // A recipe and its programs, which keys are tried against.
  struct Baseline {
    Json json;
    std::vector<std::string> programs;  // none: neither recipe nor model are to be had, which is told elsewhere with its reason
  };

  [[noreturn]] void fail(const std::string& pointer, const Json& found, const std::string& reason) const {
    throw Error(fmt::format("{}{}: found {}, which has no effect: {}", where_, pointer, found.dump(), reason));
  }

  // Each given key that changes what the model computes, at any time of a training; `keys` say which kinds objects are of.
  void check_keys(const Json& given, const std::vector<ir::AttributeSpec>& specs, const ir::Attributes& keys, const std::string& pointer,
                  const std::vector<Baseline>& baselines) const {
    for (const ir::AttributeSpec& spec : specs) {
      const std::string at = pointer + "/" + spec.name;
      if (!given.contains(spec.name) || at == "/name" || at == "/overrides" || at == "/schedule") continue;
      if (!std::holds_alternative<ir::Object>(spec.fallback)) {
        check_key(at, other_values(spec), baselines);
        continue;
      }
      const ir::Attributes& members = keys.object(spec.name);
      const std::string kind = spec.kinds == nullptr ? "" : members.text(spec.kind_key);
      if (spec.kinds != nullptr && given[spec.name].contains(spec.kind_key)) {
        const std::vector<std::string> kinds = ir::kind_names(spec);
        check_key(at + "/" + spec.kind_key, {kinds.begin(), kinds.end()}, baselines);
      }
      check_keys(given[spec.name], ir::members_of(spec, kind), members, at, baselines);
    }
  }

  void check_key(const std::string& key, const std::vector<Json>& values, const std::vector<Baseline>& baselines) const {
    const Json::json_pointer pointer(key);
    const auto has_effect = [&](const Baseline& base) { return matters(base, pointer, values); };
    if (std::any_of(baselines.begin(), baselines.end(), has_effect)) return;
    fail(key, given_.at(pointer), "nothing that this model computes under this recipe depends on it");
  }

  Json with_overrides(Json overrides) const {
    Json recipe = given_;
    recipe["overrides"] = std::move(overrides);
    return recipe;
  }

  // What overrides say of bits stands back: that a later one wins is no reason to refuse an earlier one.
  static Json skips_of(const Json& overrides) {
    Json skips = Json::array();
    for (const Json& item : overrides) {
      if (item.contains("skip")) skips.push_back({{"pattern", item["pattern"]}, {"skip", item["skip"]}});
    }
    return skips;
  }

  static std::optional<Recipe> recipe_of(const Json& json) {
    try {
      return passes::read_recipe(json, "recipe", "");
    } catch (const Error&) {
      return std::nullopt;
    }
  }

  // The graphs that run under the recipe, as text, the cheapest first.
  static constexpr std::size_t program_count = 3;
  std::string program(const Recipe& recipe, std::size_t index) const {
    const auto text = [&](const passes::Pipeline& pipeline) { return ir::print(passes::run(pipeline, model_)); };
    if (index == 0) return use_.trains ? text(passes::simulated_training(recipe, {})) : "";
    if (index == 1) return use_.calibrates ? text(passes::calibration(recipe)) : "";
    return text(passes::quantized_evaluation(recipe));
  }

  Baseline baseline(Json json) const {
    Baseline made{std::move(json), {}};
    try {
      const Recipe recipe = passes::read_recipe(made.json, "recipe", "");
      for (std::size_t i = 0; i < program_count; ++i) made.programs.push_back(program(recipe, i));
    } catch (const Error&) {
      made.programs.clear();
    }
    return made;
  }

  bool differs(const Recipe& recipe, const std::vector<std::string>& programs) const {
    try {
      for (std::size_t i = 0; i < program_count; ++i) {
        if (program(recipe, i) != programs[i]) return true;
      }
      return false;
    } catch (const Error&) {
      return true;
    }
  }

  // Whether another value at the pointer makes other programs. A value that is the only choice says what must be said.
  bool matters(const Baseline& base, const Json::json_pointer& pointer, const std::vector<Json>& values) const {
    if (base.programs.empty()) return true;
    Json json = base.json;
    bool choice = false;
    for (const Json& value : values) {
      json[pointer] = value;
      const std::optional<Recipe> other = value == base.json.at(pointer) ? std::nullopt : recipe_of(json);
      choice = choice || other;
      if (other && differs(*other, base.programs)) return true;
    }
    return !choice;
  }

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const ir::ValueId input : model_.inputs()) names.push_back(model_.value(input).name);
    for (const ir::Node& node : model_.nodes()) names.push_back(node.name);
    return names;
  }

  void check_override(const Json& overrides, std::size_t index) const {
    const Json& item = overrides[index];
    const std::string pointer = fmt::format("/overrides/{}", index);
    const std::string pattern = item["pattern"];
    const std::vector<std::string> all = names();
    std::vector<std::string> matched;
    std::copy_if(all.begin(), all.end(), std::back_inserter(matched),
                 [&](const std::string& name) { return passes::matches_pattern(pattern, name); });
    if (matched.empty()) {
      throw Error(fmt::format("{}{}/pattern: found '{}', which matches no layer and no input of the model{}", where_, pointer, pattern,
                              did_you_mean(pattern, all)));
    }
    if (item.size() == 1)
      throw Error(fmt::format("{}{}: sets nothing, expected 'weight_bits', 'activation_bits' or 'skip'", where_, pointer));
    const std::string layers =
        fmt::format("'{}'{}", matched.front(), matched.size() > 1 ? fmt::format(" and {} more", matched.size() - 1) : "");
    for (const OverrideKey& key : override_keys()) {
      if (!item.contains(key.key)) continue;
      Json reduced = std::string_view(key.key) == "skip" ? Json::array() : skips_of(overrides);
      reduced.push_back({{"pattern", pattern}, {key.key, item[key.key]}});
      const Json::json_pointer place(fmt::format("/overrides/{}/{}", reduced.size() - 1, key.key));
      if (matters(baseline(with_overrides(std::move(reduced))), place, key.values)) continue;
      fail(pointer + "/" + key.key, item[key.key], fmt::format("{} has {}", layers, key.lacking));
    }
  }

  // What a schedule switches must be there. Whether the switch is reached depends on the data (check_schedule_reach).
  void check_phases() const {
    struct Switch {
      const char* key;
      passes::Phase off;
      const char* what;
    };
    const Switch switches[] = {{"activation_delay_steps", {false, true, true}, "no activation is quantized"},
                               {"freeze_observers_epoch", {true, false, true}, "no range is observed"},
                               {"freeze_batch_norm_epoch", {true, true, false}, "the model has no batch-norm"}};
    for (const Switch& item : switches) {
      const Json::json_pointer pointer = Json::json_pointer("/schedule") / item.key;
      if (!given_.contains(pointer) || is_off(item.key, given_.at(pointer))) continue;
      if (!use_.trains) fail(pointer.to_string(), given_.at(pointer), use_.untrained);
      const Recipe recipe = passes::read_recipe(given_, "recipe", "");
      const auto text = [&](const passes::Phase& phase) {
        return ir::print(passes::run(passes::simulated_training(recipe, phase), model_));
      };
      if (text({}) == text(item.off)) fail(pointer.to_string(), given_.at(pointer), item.what);
    }
  }

  static bool is_off(std::string_view key, const Json& value) {
    return key == "activation_delay_steps" ? value.get<double>() == 0 : value.get<double>() < 0;
  }

  const Json& given_;
  const ir::Graph& model_;
  RecipeUse use_;
  std::string where_;
};

}  // namespace

void check_recipe_settings(const Json& given, const ir::Graph& model, const RecipeUse& use, const std::string& where) {
  if (given.is_object()) Checker(given, model, use, where).run();
}

}  // namespace stair::readers

#include "frontend/readers/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "frontend/readers/experiment_keys.h"
#include "frontend/readers/model_keys.h"
#include "frontend/readers/recipe_settings.h"
#include "ir/error.h"
#include "ir/rebatch.h"
#include "passes/loss.h"
#include "passes/optimizer.h"
#include "passes/pipelines.h"
#include "passes/schedule.h"

namespace stair::readers {
namespace {

class SettingsChecker {
 public:
  explicit SettingsChecker(const Experiment& experiment) : experiment_(experiment), json_(experiment.json) {}

  void run() const {
    check_stage_keys();
    check_augmentation();
    for (std::size_t i = 0; i < json_["stages"].size(); ++i)
      check_stage(experiment_.stages[i], json_["stages"][i], fmt::format("/stages/{}", i));
    check_batch_norm();
    if (!experiment_.idle.empty()) throw Error(experiment_.idle.front());
    check_blocks();
    check_recipes();
  }

 private:
  template <class Condition>
  bool has_stage(Condition condition) const {
    return std::any_of(experiment_.stages.begin(), experiment_.stages.end(),
                       [&](const stages::Stage& stage) { return condition(*stage.kind); });
  }

  [[noreturn]] void fail(const std::string& pointer, const std::string& message) const {
    throw Error(fmt::format("{} {}: {}", experiment_.source, pointer, message));
  }

  // Each recipe by what the stages do that have it. Without a quantized stage the experiment's is the default of a later `stair calibrate`.
  void check_recipes() const {
    std::map<std::string, RecipeUse> uses;
    for (const stages::Stage& stage : experiment_.stages) {
      if (!stage.kind->quantizes) continue;
      RecipeUse& use = uses.try_emplace(stage.recipe_pointer, RecipeUse{false, false}).first->second;
      (stage.kind->follows_schedule() ? use.trains : use.calibrates) = true;
    }
    if (uses.empty()) uses["/recipe"] = {true, false};
    if (json_.contains("recipe") && !uses.contains("/recipe"))
      fail("/recipe", "has no effect: every stage that quantizes has a recipe of its own");
    const bool trains = has_stage([](const stages::StageKind& kind) { return kind.follows_schedule(); });
    for (auto& [pointer, use] : uses) {
      if (trains) use.untrained = "the qat stages have recipes of their own";
      check_recipe_settings(json_.value(Json::json_pointer(pointer), Json()), experiment_.model, use, experiment_.source + " " + pointer);
    }
  }

  // Keys of the experiment that only some kinds of stages look at.
  void check_stage_keys() const {
    const auto looks_at = [](const stages::StageKind& kind, const std::string& key) {
      return std::find(kind.experiment_keys.begin(), kind.experiment_keys.end(), key) != kind.experiment_keys.end();
    };
    for (const ir::AttributeSpec& spec : experiment_keys()) {
      const std::string& key = spec.name;
      std::vector<std::string> owners;
      for (const auto& [name, kind] : stages::stage_kinds().all()) {
        if (looks_at(kind, key)) owners.push_back(name);
      }
      // What outputs are held against is looked at by evaluation, too.
      const bool is_loss = key == passes::loss_spec().name || key == passes::losses_spec().name;
      const bool is_asked = std::any_of(experiment_.objectives.begin(), experiment_.objectives.end(), [&](const Objective& objective) {
        return experiment_.objectives.size() > 1 || objective.target() != passes::Target::classes;
      });
      if (is_loss && is_asked) continue;
      if (owners.empty() || !json_.contains(key) || has_stage([&](const stages::StageKind& kind) { return looks_at(kind, key); })) continue;
      std::vector<std::string> kinds;
      for (const stages::Stage& stage : experiment_.stages) {
        if (std::find(kinds.begin(), kinds.end(), stage.kind->name) == kinds.end()) kinds.push_back(stage.kind->name);
      }
      fail("/" + key, fmt::format("has no effect with the stages {}, only with {}", one_of(kinds), one_of(owners)));
    }
  }

  void check_augmentation() const {
    const ir::Graph& model = experiment_.model;
    const auto is_picture = [&](ir::ValueId input) { return model.type(input).shape.size() == 4; };
    if (std::any_of(model.inputs().begin(), model.inputs().end(), is_picture)) return;
    std::vector<std::string> shapes;
    for (const ir::ValueId input : model.inputs()) shapes.push_back(ir::to_string(model.type(input).shape));
    for (const auto& [kind, setting] : runtime::switched_on(experiment_.augmentation)) {
      if (kind->mixes) continue;
      fail("/augmentation/" + kind->name,
           fmt::format("found {}, but the model's input{} {}, expected pictures [N,C,H,W]", json_["augmentation"][kind->name].dump(),
                       shapes.size() > 1 ? "s are" : " is", fmt::join(shapes, " and ")));
    }
  }

  void check_stage(const stages::Stage& stage, const Json& written, const std::string& pointer) const {
    if (!stage.kind->phase) return;
    const ir::Attributes& chosen = stage.options.object("optimizer");
    const passes::Optimizer& optimizer = passes::optimizers().named(chosen.text("kind"), "optimizer");
    if (optimizer.idle) check_idle(optimizer.idle(chosen), written["optimizer"], pointer + "/optimizer");
    if (!written.contains("schedule")) return;
    const ir::Attributes& planned = stage.options.object("schedule");
    const passes::Schedule& schedule = passes::schedules().named(planned.text("kind"), "schedule");
    const auto epochs = static_cast<double>(stage.options.integer("epochs"));
    const double warmup = planned.number("warmup_epochs");
    if (warmup > epochs || (warmup == epochs && schedule.name != "constant")) {
      fail(pointer + "/schedule/warmup_epochs", fmt::format("found {}, which leaves nothing of the stage's {} epochs to the schedule",
                                                            written["schedule"]["warmup_epochs"].dump(), epochs));
    }
    if (schedule.idle) check_idle(schedule.idle(planned, epochs - warmup), written["schedule"], pointer + "/schedule");
  }

  // At the key, or at the kind where the user left the key at its default.
  void check_idle(const ir::IdleSetting& idle, const Json& written, const std::string& pointer) const {
    if (!idle.key.empty()) fail(pointer + "/" + (written.contains(idle.key) ? idle.key : "kind"), idle.reason);
  }

  // The variance of one value is 0, whatever the value.
  void check_batch_norm() const {
    for (const stages::Stage& stage : experiment_.stages) {
      if (!stage.kind->phase || !stage.kind->phase(stage.recipe, 0, 1).batch_statistics) continue;
      const ir::Graph step = ir::with_batch(experiment_.model, experiment_.batch / experiment_.shards);
      const std::vector<std::string>& frozen = stage.options.texts("freeze");
      check_batch_norm(frozen.empty() ? step : passes::run(passes::Step{"freeze_batch_norm", {{"parameters", frozen}}}, step).graph);
    }
  }

  void check_batch_norm(const ir::Graph& step) const {
    for (const ir::Node& node : step.nodes()) {
      const bool by_batch = node.op->integer.kind == ir::IntegerForm::Kind::normalize && node.op->inference;  // of its own statistics
      if (!by_batch) continue;
      const ir::Shape& shape = step.type(node.operands.front()).shape;
      if (ir::element_count(shape) != shape[1]) continue;
      fail("/batch",
           fmt::format("found {}{}, with which the batch_norm '{}' has one value a channel, expected at least 2", experiment_.batch,
                       experiment_.shards > 1 ? fmt::format(" in {} shards", experiment_.shards) : "", node.name));
    }
  }

  static void add_blocks_of(const Json& layers, const Json& blocks, std::set<std::string>& used) {
    for (const Json& layer : layers) {
      if (uses_block(layer) && used.insert(layer["block"]).second) add_blocks_of(blocks[layer["block"]]["layers"], blocks, used);
    }
  }

  void check_blocks() const {
    if (!json_["model"].is_object()) return;
    const Json blocks = json_["model"].value("blocks", Json::object());
    std::set<std::string> used;
    add_blocks_of(json_["model"]["layers"], blocks, used);
    for (const auto& [name, block] : blocks.items()) {
      if (!used.contains(name)) fail("/model/blocks/" + name, "has no effect: no layer uses the block");
      const Json parameters = block.value("parameters", Json::object());
      const std::string layers = block["layers"].dump();
      for (const auto& [parameter, value] : parameters.items()) {
        if (layers.find(Json("$" + parameter).dump()) != std::string::npos) continue;
        fail(fmt::format("/model/blocks/{}/parameters/{}", name, parameter),
             "has no effect: no layer of the block reads '$" + parameter + "'");
      }
    }
  }

  const Experiment& experiment_;
  const Json& json_;
};

}  // namespace

void check_settings(const Experiment& experiment) {
  SettingsChecker(experiment).run();
}

void check_schedule_reach(const Experiment& experiment, std::int64_t steps_per_epoch) {
  struct Reach {
    passes::Phase switched{false, true, true};  // by the ends of the qat stages
    std::int64_t longest = 0;
    const passes::Recipe* recipe = nullptr;
  };
  std::map<std::string, Reach> reaches;
  for (const stages::Stage& stage : experiment.stages) {
    if (!stage.kind->follows_schedule()) continue;
    Reach& reach = reaches[stage.recipe_pointer];
    const std::int64_t epochs = stage.options.integer("epochs");
    const passes::Phase end = stage.kind->phase(stage.recipe, epochs * steps_per_epoch - 1, steps_per_epoch);
    reach.switched.quantize_activations = reach.switched.quantize_activations || end.quantize_activations;
    reach.switched.observe = reach.switched.observe && end.observe;
    reach.switched.batch_statistics = reach.switched.batch_statistics && end.batch_statistics;
    reach.longest = std::max(reach.longest, epochs);
    reach.recipe = &stage.recipe;
  }
  for (const auto& [pointer, reach] : reaches) {
    const Json written = experiment.json.value(Json::json_pointer(pointer), Json());
    if (!written.is_object() || !written.contains("schedule")) continue;
    const auto check = [&, &at = pointer, &of = reach](const char* key, bool is_on, bool is_reached, int off) {
      if (!written["schedule"].contains(key) || !is_on || is_reached) return;
      throw Error(
          fmt::format("{} {}/schedule/{}: found {}, which no qat stage reaches: the longest has {} epochs of {} steps; expected less, "
                      "or {} for never",
                      experiment.source, at, key, written["schedule"][key].dump(), of.longest, steps_per_epoch, off));
    };
    check("activation_delay_steps", reach.recipe->activation_delay_steps() > 0, reach.switched.quantize_activations, 0);
    check("freeze_observers_epoch", reach.recipe->freeze_observers_epoch() >= 0, !reach.switched.observe, -1);
    check("freeze_batch_norm_epoch", reach.recipe->freeze_batch_norm_epoch() >= 0, !reach.switched.batch_statistics, -1);
  }
}

}  // namespace stair::readers

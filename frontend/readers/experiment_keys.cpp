#include "frontend/readers/experiment_keys.h"

#include "frontend/stages/stage.h"
#include "passes/loss.h"
#include "passes/recipe.h"
#include "runtime/augmentation.h"
#include "runtime/dataset.h"
#include "runtime/metric.h"

namespace stair::readers {
namespace {

using ir::AttributeSpec;
using ir::Object;
using ir::read_elsewhere;

constexpr double largest_count = 1e6;

AttributeSpec data_spec() {
  return {.name = "data",
          .doc = "labelled examples (docs/format-data.md)",
          .fallback = Object(),
          .required = true,
          .members = {{.name = "format",
                       .doc = "of the files",
                       .fallback = std::string(),
                       .required = true,
                       .choices = runtime::dataset_formats().names()},
                      read_elsewhere("train",
                                     "what stages train on: files by what they hold, with the settings of the format (docs/format-data.md)",
                                     {"object"}, "files", true),
                      read_elsewhere("test", "what they are evaluated on in the end", {"object"}, "files", true),
                      read_elsewhere("validation", "what chooses the best epoch: files as those of test, or a share of the training data",
                                     {"number", "object"}, "validation"),
                      read_elsewhere("mean", "x = (picture / 255 - mean) / std, one a channel or one for all; or so by the names of inputs",
                                     {"array", "object"}, "mean"),
                      read_elsewhere("std", "see mean", {"array", "object"}, "std")}};
}

// Those that are measured anyway needn't be named.
std::vector<ir::KindSpec> more_metrics() {
  std::vector<ir::KindSpec> kinds = ir::kinds_of(runtime::metrics());
  std::erase_if(kinds, [](const ir::KindSpec& kind) { return kind.name == "accuracy" || kind.name == "rmse"; });
  return kinds;
}

}  // namespace

const std::vector<AttributeSpec>& experiment_keys() {
  static const std::vector<AttributeSpec> keys{
      {.name = "name", .doc = "of the run's folder; the file's name where nothing is said", .fallback = std::string()},
      read_elsewhere("model", "a model JSON or .sir file, or a model in place", {"string", "object"}, "model", true),
      data_spec(),
      runtime::augmentation_spec(),
      {.name = "batch", .doc = "images of a training step", .fallback = std::int64_t{64}, .bounds = ir::within(1, largest_count)},
      {.name = "shards",
       .doc =
           "equal parts of a training step's batch that run one after another, or side by side in processes; 1, or the number of processes",
       .fallback = std::int64_t{1},
       .bounds = ir::within(1, largest_count)},
      {.name = "eval_batch", .doc = "images of an evaluation step", .fallback = std::int64_t{100}, .bounds = ir::within(1, largest_count)},
      {.name = "seed",
       .doc = "of initial values, the order of examples, augmentation and dropout",
       .fallback = std::int64_t{1},
       .bounds = ir::within(0, 9007199254740992.0)},
      passes::loss_spec(),
      passes::losses_spec(),
      stages::recipe_attribute(passes::recipe_spec().doc),
      read_elsewhere("start", "a checkpoint to start from, or what of it: a pretrained model", {"string", "object"}, "start"),
      {.name = "checkpoint_every",
       .doc = "steps between checkpoints within an epoch; 0: at the end of epochs only",
       .fallback = std::int64_t{500},
       .bounds = ir::within(0, 1e9)},
      {.name = "plugins",
       .doc = "shared libraries with backends that training runs on first (docs/adding-a-backend.md)",
       .fallback = std::vector<std::string>()},
      {.name = "export", .doc = "an artifact behind every calibrate and qat stage", .fallback = true},
      {.name = "metrics",
       .doc = "what evaluation measures beside the accuracy of classes, or the rmse of floats",
       .fallback = std::vector<Object>(),
       .members = {{.name = "output",
                    .doc = "of the model that is measured, one with a loss; the first that has one where nothing is said",
                    .fallback = std::string(),
                    .optional = true}},
       .kinds = more_metrics,
       .name_stands = true},
      {.name = "best_by",
       .doc = "which of them tells the best epoch, and when patience ends; the accuracy or the rmse where nothing is said",
       .fallback = std::string()},
      {.name = "stages",
       .doc = "what is done, one after another",
       .fallback = std::vector<Object>(),
       .required = true,
       .members = {{.name = "name", .doc = "of the stage's files; its kind where nothing is said", .fallback = std::string()}},
       .kinds = stages::stage_specs}};
  return keys;
}

const AttributeSpec& only_key() {
  static const AttributeSpec key{.name = "only",
                                 .doc = "labels of the examples that are taken; none: all",
                                 .fallback = std::vector<std::int64_t>(),
                                 .bounds = ir::within(0, largest_count)};
  return key;
}

AttributeSpec channel_numbers(const std::string& key) {
  AttributeSpec numbers{.name = key, .doc = "one a channel, or one for all", .fallback = std::vector<double>()};
  if (key == "std") numbers.bounds = ir::above(0);
  return numbers;
}

const std::vector<AttributeSpec>& start_keys() {
  static const std::vector<AttributeSpec> keys{
      {.name = "checkpoint", .doc = "its file", .fallback = std::string(), .required = true},
      {.name = "take",
       .doc = "patterns, with '*' and '?', of the tensors of this model that are taken where the checkpoint has them; none: all",
       .fallback = std::vector<std::string>()},
      {.name = "rename",
       .doc = "names of the checkpoint that begin with 'from' begin with 'to' here",
       .fallback = std::vector<Object>(),
       .members = {{.name = "from", .doc = "there", .fallback = std::string(), .required = true},
                   {.name = "to", .doc = "here", .fallback = std::string(), .required = true}}}};
  return keys;
}

}  // namespace stair::readers

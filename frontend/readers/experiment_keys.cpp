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
  ir::Bounds positive = ir::above(0);
  return {
      .name = "data",
      .doc = "labelled examples (docs/format-data.md)",
      .fallback = Object(),
      .required = true,
      .members = {
          {.name = "format",
           .doc = "of the files",
           .fallback = std::string(),
           .required = true,
           .choices = runtime::dataset_formats().names()},
          read_elsewhere("train", "what stages train on: files by what they hold, with the settings of the format (docs/format-data.md)",
                         {"object"}, "files", true),
          read_elsewhere("test", "what they are evaluated on in the end", {"object"}, "files", true),
          read_elsewhere("validation", "what chooses the best epoch: files as those of test, or a share of the training data",
                         {"number", "object"}, "validation"),
          {.name = "mean", .doc = "x = (picture / 255 - mean) / std, one a channel or one for all", .fallback = std::vector<double>()},
          {.name = "std", .doc = "see mean", .fallback = std::vector<double>(), .bounds = positive}}};
}

std::vector<std::string> more_metrics() {
  std::vector<std::string> names = runtime::metrics().names();
  std::erase(names, "accuracy");
  return names;
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
      stages::recipe_attribute(passes::recipe_spec().doc),
      {.name = "start", .doc = "a checkpoint to start from: a pretrained model", .fallback = std::string()},
      {.name = "checkpoint_every",
       .doc = "steps between checkpoints within an epoch; 0: at the end of epochs only",
       .fallback = std::int64_t{500},
       .bounds = ir::within(0, 1e9)},
      {.name = "plugins",
       .doc = "shared libraries with backends that training runs on first (docs/adding-a-backend.md)",
       .fallback = std::vector<std::string>()},
      {.name = "export", .doc = "an artifact behind every calibrate and qat stage", .fallback = true},
      {.name = "metrics",
       .doc = "what evaluation measures beside the accuracy",
       .fallback = std::vector<std::string>(),
       .choices = more_metrics()},
      {.name = "stages",
       .doc = "what is done, one after another",
       .fallback = std::vector<Object>(),
       .required = true,
       .members = {{.name = "name", .doc = "of the stage's files; its kind where nothing is said", .fallback = std::string()}},
       .kinds = stages::stage_specs}};
  return keys;
}

}  // namespace stair::readers

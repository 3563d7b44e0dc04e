#include "frontend/stages/teacher.h"

#include <fmt/format.h>

#include <utility>

#include "frontend/readers/trained.h"
#include "ir/error.h"
#include "runtime/file.h"

namespace stair::stages {
namespace {

std::string ends_of(const ir::Graph& model, const ir::Output& output) {
  std::vector<std::string> inputs;
  for (const ir::ValueId input : model.inputs()) inputs.push_back(to_string(model.type(input)));
  return fmt::format("{} -> {}", fmt::join(inputs, ", "), to_string(model.type(output.value)));
}

// The teacher's output of that name, or its first.
ir::Output output_like(const ir::Graph& teacher, const std::string& name) {
  for (const ir::Output& output : teacher.outputs()) {
    if (output.name == name) return output;
  }
  return teacher.outputs().front();
}

runtime::Teacher teacher_of(const readers::Experiment& experiment, const readers::Objective& objective, std::int64_t batch,
                            const frontend::CompileOptions& options) {
  if (!objective.loss.has("teacher")) return {};
  const std::string& path = objective.loss.text("teacher");
  const std::string where = experiment.source + " " + objective.pointer + "/teacher: ";
  readers::Trained trained = readers::load_trained(path);
  const ir::Graph& model = trained.experiment.model;
  const ir::Output ours = objective.in(experiment.model);
  const ir::Output theirs = output_like(model, ours.name);
  if (ends_of(model, theirs) != ends_of(experiment.model, ours)) {
    throw Error(where + path + " computes " + ends_of(model, theirs) + ", the model " + ends_of(experiment.model, ours) +
                ", expected the same");
  }
  if (!runtime::same_normalizations(trained.experiment.normalizations(), experiment.normalizations()))
    throw Error(where + path + " was trained with another mean or std than the experiment's");
  auto states = std::make_shared<runtime::Tensors>(std::move(trained.checkpoint.states));
  auto executor = std::make_shared<runtime::Executor>(frontend::compile(model, passes::float_evaluation(), batch, *states, options));
  return [states, executor, name = theirs.name](const runtime::Batch& of) {
    executor->run(runtime::views_of(of.inputs));
    return executor->output(name);
  };
}

}  // namespace

std::optional<std::uint32_t> teacher_checksum(const readers::Experiment& experiment, const readers::Objective& objective) {
  if (!objective.loss.has("teacher")) return std::nullopt;
  try {
    std::string bytes = runtime::read_file(readers::checkpoint_file(objective.loss.text("teacher")));
    return runtime::checksum({{ir::DType::u8, {static_cast<std::int64_t>(bytes.size())}}, bytes.data()});
  } catch (const Error& error) {
    throw Error(fmt::format("{} {}/teacher: {}", experiment.source, objective.pointer, error.what()));
  }
}

runtime::LossFeeds loss_feeds(const readers::Experiment& experiment, std::int64_t batch, const frontend::CompileOptions& options) {
  runtime::LossFeeds feeds;
  const bool mixed = runtime::mixing(experiment.augmentation).first != nullptr;
  for (const readers::Objective& objective : experiment.objectives)
    feeds.push_back({objective.target() != passes::Target::input, teacher_of(experiment, objective, batch, options), mixed});
  return feeds;
}

}  // namespace stair::stages

#include "frontend/stages/evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "ir/error.h"

namespace stair::stages {
namespace {

// Whose largest output, the first of equals, stands at the label.
std::int64_t correct_rows(const ir::TensorView& outputs, const std::int32_t* labels, std::int64_t count) {
  const std::int64_t classes = outputs.dim(1);
  std::int64_t correct = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t best = 0;
    for (std::int64_t c = 1; c < classes; ++c) {
      if (runtime::element(outputs, i * classes + c) > runtime::element(outputs, i * classes + best)) best = c;
    }
    correct += best == labels[i] ? 1 : 0;
  }
  return correct;
}

std::string file_of_images(const runtime::Dataset& dataset, const runtime::DatasetFiles& files) {
  return files.contains("images") ? files.at("images").front() : dataset.source;
}

}  // namespace

void check_fits(const runtime::Dataset& dataset, const runtime::DatasetFiles& files, const ir::Graph& model) {
  ir::Shape expected = model.type(model.inputs().front()).shape;
  ir::Shape found = dataset.images.type().shape;
  expected.erase(expected.begin());
  found.erase(found.begin());
  if (expected != found) {
    throw Error(file_of_images(dataset, files) + ": its images are " + ir::to_string(found) + ", the model's input '" +
                model.value(model.inputs().front()).name + "' expects " + ir::to_string(expected));
  }
  const ir::Shape& outputs = model.type(model.outputs().front().value).shape;
  if (outputs.size() != 2) throw Error("the model yields " + ir::to_string(outputs) + ", expected [N, classes]");
  runtime::check_labels(dataset, outputs[1]);
}

Data load_data(const readers::Experiment& experiment, bool with_training) {
  Data data;
  data.test = runtime::load_dataset(experiment.data.format, experiment.data.test);
  check_fits(data.test, experiment.data.test, experiment.model);
  if (!with_training) return data;
  data.train = runtime::load_dataset(experiment.data.format, experiment.data.train);
  check_fits(data.train, experiment.data.train, experiment.model);
  check_elements(data.test, experiment.data.test, std::string(name_of(data.train.images.type().dtype)));
  if (experiment.batch > data.train.count()) {
    throw Error(fmt::format("{} /batch: found {}, the training data has {} images ({})", experiment.source, experiment.batch,
                            data.train.count(), data.train.source));
  }
  return data;
}

void check_elements(const runtime::Dataset& dataset, const runtime::DatasetFiles& files, const std::string& trained_on) {
  const std::string_view found = name_of(dataset.images.type().dtype);
  if (trained_on.empty() || found == trained_on) return;
  throw Error(fmt::format("{}: its images are {}, the model is trained on {}; u8 is divided by 255, f32 isn't",
                          file_of_images(dataset, files), found, trained_on));
}

const runtime::Normalization& same_as_trained(const runtime::Normalization& trained, const readers::DataFiles& data,
                                              const std::string& source) {
  const runtime::Normalization& given = data.normalization;
  const bool says = !given.mean.empty() || !given.std.empty();
  if (!says || runtime::same_normalization(given, trained)) return trained;
  throw Error(fmt::format("{} /data: normalizes with mean [{}] and std [{}], the model was trained with mean [{}] and std [{}]", source,
                          fmt::join(given.mean, ", "), fmt::join(given.std, ", "), fmt::join(trained.mean, ", "),
                          fmt::join(trained.std, ", ")));
}

std::int64_t count_correct(runtime::Executor& executor, runtime::Batches& batches, std::int64_t first, std::int64_t stride) {
  std::int64_t correct = 0;
  const ir::TensorView inputs[] = {batches.images()};
  for (std::int64_t b = first; b < batches.evaluation_batches(); b += stride) {
    const std::int64_t count = batches.load_evaluation(b);
    executor.run(inputs);
    const ir::TensorView outputs = executor.output(executor.graph().outputs().front().name);
    const auto* labels = batches.labels().as<std::int32_t>();
    correct += correct_rows(outputs, labels, count);
  }
  return correct;
}

double accuracy(runtime::Executor& executor, runtime::Batches& batches, std::int64_t images) {
  return static_cast<double>(count_correct(executor, batches, 0, 1)) / static_cast<double>(images);
}

}  // namespace stair::stages

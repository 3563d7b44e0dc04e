#include "frontend/stages/evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "ir/error.h"

namespace stair::stages {
namespace {

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

std::vector<runtime::Counts> count(runtime::Executor& executor, runtime::Batches& batches, const readers::Metrics& metrics,
                                   std::int64_t first, std::int64_t stride) {
  std::vector<runtime::Counts> all;
  for (const runtime::Metric* metric : metrics) all.emplace_back(metric->counts);
  const ir::TensorView inputs[] = {batches.images()};
  for (std::int64_t b = first; b < batches.evaluation_batches(); b += stride) {
    const std::int64_t images = batches.load_evaluation(b);
    executor.run(inputs);
    const ir::TensorView outputs = executor.output(executor.graph().outputs().front().name);
    for (std::size_t i = 0; i < all.size(); ++i) metrics[i]->add(outputs, batches.labels().as<std::int32_t>(), images, all[i]);
  }
  return all;
}

std::vector<double> measure(runtime::Executor executor, const runtime::Dataset& test, std::int64_t batch,
                            const runtime::Normalization& normalization, const readers::Metrics& metrics) {
  runtime::Batches batches(test, batch, normalization, {}, 0);
  const std::vector<runtime::Counts> counts = count(executor, batches, metrics, 0, 1);
  std::vector<double> values;
  for (std::size_t i = 0; i < counts.size(); ++i) values.push_back(metrics[i]->finish(counts[i]));
  return values;
}

}  // namespace stair::stages

#include "frontend/stages/evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <utility>

#include "ir/error.h"
#include "ir/random.h"
#include "runtime/augmentation.h"

namespace stair::stages {
namespace {

std::string file_of_images(const runtime::Dataset& dataset, const runtime::DatasetFiles& files) {
  return files.contains("images") ? files.at("images").front() : dataset.source;
}

// Parts of the same data set have the same elements and classes.
void check_alike(const runtime::Dataset& part, const runtime::DatasetFiles& files, const runtime::Dataset& train) {
  check_elements(part, files, train.form());
  if (part.classes == train.classes) return;
  throw Error(fmt::format("{}: has the classes '{}', the training data ({}) '{}'", part.source, fmt::join(part.classes, "', '"),
                          train.source, fmt::join(train.classes, "', '")));
}

void cut_validation(Data& data, double share, std::uint64_t seed, const std::string& source) {
  constexpr std::uint64_t cutting = 100;  // stream of random numbers
  const std::int64_t count = data.train.count();
  const std::int64_t held = std::llround(share * static_cast<double>(count));
  if (held < 1 || held >= count) {
    throw Error(fmt::format("{} /data/validation: {} of {} training examples are {}, expected at least one there and one left", source,
                            share, count, held));
  }
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  for (std::size_t i = order.size() - 1; i > 0; --i) std::swap(order[i], order[ir::random_bits(seed, cutting, 0, i) % (i + 1)]);
  std::sort(order.begin(), order.begin() + held);
  std::sort(order.begin() + held, order.end());
  data.validation = runtime::chosen_examples(data.train, {order.begin(), order.begin() + held});
  data.train = runtime::chosen_examples(data.train, {order.begin() + held, order.end()});
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

runtime::Dataset load_part(const readers::DataFiles& data, const readers::DataPart& part, const ir::Graph& model, bool windows) {
  ir::Shape example = model.type(model.inputs().front()).shape;
  example.erase(example.begin());
  runtime::Dataset dataset = runtime::load_dataset(data.format, part.files, part.settings, example, windows);
  if (dataset.skipped > 0)
    fmt::print(stderr, "{}: {} damaged pictures left out, {} taken\n", file_of_images(dataset, part.files), dataset.skipped,
               dataset.count());
  check_fits(dataset, part.files, model);
  return dataset;
}

Data load_data(const readers::Experiment& experiment, bool with_training) {
  const readers::DataFiles& files = experiment.data;
  Data data;
  data.test = load_part(files, files.test, experiment.model);
  if (!with_training) return data;
  data.train = load_part(files, files.train, experiment.model, runtime::cuts_windows(experiment.augmentation));
  check_alike(data.test, files.test.files, data.train);
  if (files.validation) {
    data.validation = load_part(files, *files.validation, experiment.model);
    check_alike(*data.validation, files.validation->files, data.train);
  } else if (files.validation_share > 0) {
    cut_validation(data, files.validation_share, experiment.seed, experiment.source);
  }
  if (experiment.batch > data.train.count()) {
    throw Error(fmt::format("{} /batch: found {}, the training data has {} images ({})", experiment.source, experiment.batch,
                            data.train.count(), data.train.source));
  }
  return data;
}

void check_elements(const runtime::Dataset& dataset, const runtime::DatasetFiles& files, const runtime::ExampleForm& trained_on) {
  const runtime::ExampleForm found = dataset.form();
  if (!trained_on.element.empty() && found.element != trained_on.element) {
    throw Error(fmt::format("{}: its images are {}, the model is trained on {}; u8 is divided by 255, f32 isn't",
                            file_of_images(dataset, files), found.element, trained_on.element));
  }
  if (!trained_on.shorter_side || !found.shorter_side || found.shorter_side == trained_on.shorter_side) return;
  throw Error(fmt::format("{}: its pictures are scaled to a shorter side of {}, those that the model is trained on to {}",
                          file_of_images(dataset, files), *found.shorter_side, *trained_on.shorter_side));
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

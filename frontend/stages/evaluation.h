#pragma once

#include <optional>
#include <string>

#include "frontend/readers/experiment.h"
#include "runtime/executor.h"

namespace stair::stages {

/// The examples of an experiment, loaded, with labels that fit the model's outputs.
struct Data {
  runtime::Dataset train, test;
  std::optional<runtime::Dataset> validation;
};

/// Loads what is asked for: the test data, and with them those that training takes. A part for validation that is cut from the training
/// data is drawn by the experiment's seed; both keep the order of the files. Error as the loaders throw, where images or labels don't fit
/// the model, where the parts have images of two element types, which would be scaled differently, or classes of other names, and where too
/// few examples are left. What was skipped as damaged is said on standard error.
Data load_data(const readers::Experiment& experiment, bool with_training);

/// One part of the data, whose examples are what the model takes, and whose labels are what the experiment holds its outputs against:
/// classes within the outputs', or values of their shape. Integers become values where those are asked for, one an example those of one
/// output. `windows` as load_dataset() has it. Error naming the file where they don't fit, and as its format throws.
runtime::Dataset load_part(const readers::Experiment& experiment, const readers::DataPart& part, const ir::Graph& model,
                           bool windows = false);

/// Error naming the file unless the images are like those that the model was trained on, as far as that is known (a form an input, or
/// none): u8 is divided by 255, f32 isn't, and pictures are scaled before the middle is cut out, so that the same picture would be another
/// one.
void check_elements(const runtime::Dataset& dataset, const std::vector<runtime::ExampleForm>& trained_on);

/// Error naming `source`, an experiment, where its data say another normalization of the model's inputs than the one that it was trained
/// with.
void check_same_as_trained(const runtime::Normalizations& trained, const ir::Graph& model, const readers::DataFiles& data,
                           const std::string& source);

/// What each of an experiment's metrics sees of a data set: an output of a graph of any batch for all of it.
std::vector<runtime::Measured> measured(const readers::Experiment& experiment, const ir::Graph& graph, const runtime::Dataset& dataset);

/// What the metrics count on every `stride`-th batch, from batch `first` on. The executor takes a batch of images.
std::vector<runtime::Counts> count(runtime::Executor& executor, runtime::Batches& batches, const readers::Experiment& experiment,
                                   std::int64_t first, std::int64_t stride);

/// The scores of all images, of which the executor takes `batch` at once, a metric each.
std::vector<runtime::Score> measure(runtime::Executor executor, const runtime::Dataset& test, std::int64_t batch,
                                    const runtime::Normalizations& normalizations, const readers::Experiment& experiment);

/// The scores of what was counted over a whole data set.
std::vector<runtime::Score> finish(const std::vector<runtime::Measured>& all, const std::vector<runtime::Counts>& counts,
                                   const readers::Metrics& metrics);

}  // namespace stair::stages

#pragma once

#include <optional>
#include <string>

#include "frontend/readers/experiment.h"
#include "runtime/executor.h"

namespace stair::stages {

/// The examples of an experiment, loaded, with labels that fit the model's classes.
struct Data {
  runtime::Dataset train, test;
  std::optional<runtime::Dataset> validation;
};

/// Loads what is asked for: the test data, and with them those that training takes. A part for validation that is cut from the training
/// data is drawn by the experiment's seed; both keep the order of the files. Error as the loaders throw, where images or labels don't fit
/// the model, where the parts have images of two element types, which would be scaled differently, or classes of other names, and where too
/// few examples are left. What was skipped as damaged is said on standard error.
Data load_data(const readers::Experiment& experiment, bool with_training);

/// One part of the data, whose examples have the shape that the model takes; `windows` as load_dataset() has it. Error as its format
/// throws, and as check_fits().
runtime::Dataset load_part(const readers::DataFiles& data, const readers::DataPart& part, const ir::Graph& model, bool windows = false);

/// Error naming the file unless the images (of `files`) are what the model's input takes and the labels lie within its classes.
void check_fits(const runtime::Dataset& dataset, const runtime::DatasetFiles& files, const ir::Graph& model);

/// Error naming the file unless the images (of `files`) are like those that the model was trained on, as far as that is known: u8 is
/// divided by 255, f32 isn't, and pictures are scaled before the middle is cut out, so that the same picture would be another one.
void check_elements(const runtime::Dataset& dataset, const runtime::DatasetFiles& files, const runtime::ExampleForm& trained_on);

/// The normalization that the model was trained with. Error naming `source`, an experiment, where that says another one.
const runtime::Normalization& same_as_trained(const runtime::Normalization& trained, const readers::DataFiles& data,
                                              const std::string& source);

/// What the metrics count on every `stride`-th batch, from batch `first` on. The executor takes a batch of images.
std::vector<runtime::Counts> count(runtime::Executor& executor, runtime::Batches& batches, const readers::Metrics& metrics,
                                   std::int64_t first, std::int64_t stride);

/// The metrics of all images, of which the executor takes `batch` at once.
std::vector<double> measure(runtime::Executor executor, const runtime::Dataset& test, std::int64_t batch,
                            const runtime::Normalization& normalization, const readers::Metrics& metrics);

}  // namespace stair::stages

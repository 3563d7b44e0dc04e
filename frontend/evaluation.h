#pragma once

#include "frontend/experiment.h"
#include "runtime/executor.h"

namespace stair::driver {

/// Training and test images of an experiment, loaded, with labels that fit the model's classes.
struct Data {
  runtime::Dataset train, test;
};

/// Loads what is asked for. Error as the loaders throw, and where images or labels don't fit the model.
Data load_data(const Experiment& experiment, bool with_training);

/// Error naming the file unless the images (of `files`) are what the model's input takes and the labels lie within its classes.
void check_fits(const runtime::Dataset& dataset, const runtime::DatasetFiles& files, const ir::Graph& model);

/// How many images of every `stride`-th batch, from batch `first` on, have their largest output (the first of equals) at the label. The
/// executor takes a batch of images.
std::int64_t count_correct(runtime::Executor& executor, runtime::Batches& batches, std::int64_t first, std::int64_t stride);

/// Share of all images that do.
double accuracy(runtime::Executor& executor, runtime::Batches& batches, std::int64_t images);

}  // namespace stair::driver

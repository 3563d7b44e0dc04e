#pragma once

#include <string>

#include "frontend/readers/experiment.h"
#include "runtime/executor.h"

namespace stair::stages {

/// Training and test images of an experiment, loaded, with labels that fit the model's classes.
struct Data {
  runtime::Dataset train, test;
};

/// Loads what is asked for. Error as the loaders throw, where images or labels don't fit the model, and where the images of training and
/// test are of two element types, which would be scaled differently.
Data load_data(const readers::Experiment& experiment, bool with_training);

/// Error naming the file unless the images (of `files`) are what the model's input takes and the labels lie within its classes.
void check_fits(const runtime::Dataset& dataset, const runtime::DatasetFiles& files, const ir::Graph& model);

/// Error naming the file unless the images (of `files`) have the element type that the model was trained on: "u8", "f32", or "" where that
/// isn't known. u8 is divided by 255, f32 isn't, so that the same picture would be another one.
void check_elements(const runtime::Dataset& dataset, const runtime::DatasetFiles& files, const std::string& trained_on);

/// The normalization that the model was trained with. Error naming `source`, an experiment, where that says another one.
const runtime::Normalization& same_as_trained(const runtime::Normalization& trained, const readers::DataFiles& data,
                                              const std::string& source);

/// How many images of every `stride`-th batch, from batch `first` on, have their largest output (the first of equals) at the label. The
/// executor takes a batch of images.
std::int64_t count_correct(runtime::Executor& executor, runtime::Batches& batches, std::int64_t first, std::int64_t stride);

/// Share of all images that do.
double accuracy(runtime::Executor& executor, runtime::Batches& batches, std::int64_t images);

}  // namespace stair::stages

#pragma once

#include <string>

#include "runtime/dataset.h"
#include "runtime/tensor.h"

namespace stair::runtime {

/// Labels i32[N] of an array of any integer type. Error naming it unless it has one dimension and values from 0 to a million.
Tensor as_labels(const Tensor& read, const std::string& name);

/// Examples in memory. Error naming the array unless it is u8 or f32 [N, ...].
Examples as_examples(Tensor read, const std::string& name);

/// A data set of two arrays: images of finite numbers, and labels of an integer type [N]. Errors name the arrays.
Dataset dataset_of_arrays(Examples images, const std::string& images_name, const Tensor& labels, const std::string& labels_name);

}  // namespace stair::runtime

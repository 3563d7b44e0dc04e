#pragma once

#include <string>
#include <vector>

#include "runtime/dataset.h"
#include "runtime/tensor.h"

namespace stair::runtime {

/// What is expected of each example, of an array [N, ...]: classes i32 of any integer type, which are values from 0 to a million, or values
/// f32 of f32 or f64. Error naming it otherwise, and for floats that aren't finite in binary32.
Tensor as_labels(const Tensor& read, const std::string& name);

/// Examples in memory. Error naming the array unless it is u8 or f32 [N, ...], or integers in [0, rows) where those are not 0.
Examples as_examples(Tensor read, std::int64_t rows, const std::string& name);

/// An array, and what it is called.
template <class Array>
struct Named {
  Array array;
  std::string name;
};

/// A data set of arrays: images of finite numbers, and labels [N, ...] as as_labels() takes them. Errors name the arrays.
Dataset dataset_of_arrays(std::vector<Named<Examples>> images, const std::vector<Named<Tensor>>& labels);

}  // namespace stair::runtime

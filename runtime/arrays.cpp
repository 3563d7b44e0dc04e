#include "runtime/arrays.h"

#include <fmt/format.h>

#include <cmath>
#include <type_traits>
#include <utility>

#include "ir/error.h"

namespace stair::runtime {

Tensor as_labels(const Tensor& read, const std::string& name) {
  const ir::Type type{ir::is_float(read.type().dtype) ? ir::DType::f32 : ir::DType::i32, read.type().shape};
  if (type.shape.empty()) throw Error(name + ": holds labels " + to_string(read.type()) + ", expected one an image: [count, ...]");
  Tensor labels(type);
  const std::int64_t of_image = labels.count() / type.shape.front();
  ir::with_element_type(read.type().dtype, [&]<class T>(T) {
    for (std::int64_t i = 0; i < labels.count(); ++i) {
      const T label = read.as<T>()[i];
      if constexpr (std::is_floating_point_v<T>) {
        labels.as<float>()[i] = static_cast<float>(label);
        if (std::isfinite(labels.as<float>()[i])) continue;
      } else {
        labels.as<std::int32_t>()[i] = static_cast<std::int32_t>(label);
        if (std::in_range<std::int32_t>(label) && labels.as<std::int32_t>()[i] >= 0 && labels.as<std::int32_t>()[i] <= 1'000'000) continue;
      }
      throw Error(fmt::format("{}: the label of image {} is {}", name, i / of_image, +label));
    }
  });
  return labels;
}

Examples as_examples(Tensor read, std::int64_t rows, const std::string& name) {
  if (rows > 0) return Examples(as_indices(read, rows, name));
  check_example_type(read.type(), name);
  return Examples(std::move(read));
}

Dataset dataset_of_arrays(std::vector<Named<Examples>> images, const std::vector<Named<Tensor>>& labels) {
  Dataset dataset;
  dataset.source = labels.front().name;
  for (Named<Examples>& input : images) {
    dataset.inputs.push_back(std::move(input.array));
    dataset.input_files.push_back(std::move(input.name));
  }
  for (const Named<Tensor>& output : labels) {
    dataset.labels.push_back(as_labels(output.array, output.name));
    dataset.label_files.push_back(output.name);
  }
  for (std::size_t i = 0; i < images.size(); ++i) check_images(dataset.inputs[i], dataset.input_files[i]);
  const std::string& first = dataset.input_files.front();
  for (std::size_t i = 1; i < images.size(); ++i) {
    const std::int64_t count = dataset.inputs[i].count();
    if (count == dataset.count()) continue;
    throw Error(fmt::format("{} has {} images, but {} has {}", dataset.input_files[i], count, first, dataset.count()));
  }
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::int64_t count = dataset.labels[i].type().shape.front();
    if (count == dataset.count()) continue;
    throw Error(fmt::format("{} has {} labels, but {} has {} images", dataset.label_files[i], count, first, dataset.count()));
  }
  return dataset;
}

}  // namespace stair::runtime

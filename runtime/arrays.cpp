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

Examples as_examples(Tensor read, const std::string& name) {
  check_example_type(read.type(), name);
  return Examples(std::move(read));
}

Dataset dataset_of_arrays(Examples images, const std::string& images_name, const Tensor& labels, const std::string& labels_name) {
  Dataset dataset{std::move(images), as_labels(labels, labels_name), labels_name};
  check_images(dataset.images, images_name);
  const std::int64_t labels_of = dataset.labels.type().shape.front();
  if (labels_of != dataset.count()) {
    throw Error(fmt::format("{} has {} labels, but {} has {} images", labels_name, labels_of, images_name, dataset.count()));
  }
  return dataset;
}

}  // namespace stair::runtime

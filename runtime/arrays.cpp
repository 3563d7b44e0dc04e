#include "runtime/arrays.h"

#include <fmt/format.h>

#include <utility>

#include "ir/error.h"

namespace stair::runtime {

Tensor as_labels(const Tensor& read, const std::string& name) {
  const ir::Type type{ir::DType::i32, read.type().shape};
  if (type.shape.size() != 1) throw Error(name + ": holds labels " + to_string(read.type()) + ", expected one dimension");
  if (ir::is_float(read.type().dtype)) throw Error(name + ": holds labels " + to_string(read.type()) + ", expected integers");
  Tensor labels(type);
  for (std::int64_t i = 0; i < labels.count(); ++i) {
    const auto label = ir::with_element_type(read.type().dtype, [&]<class T>(T) { return static_cast<std::int64_t>(read.as<T>()[i]); });
    if (label < 0 || label > 1'000'000) throw Error(fmt::format("{}: the label of image {} is {}", name, i, label));
    labels.as<std::int32_t>()[i] = static_cast<std::int32_t>(label);
  }
  return labels;
}

Examples as_examples(Tensor read, const std::string& name) {
  check_example_type(read.type(), name);
  return Examples(std::move(read));
}

Dataset dataset_of_arrays(Examples images, const std::string& images_name, const Tensor& labels, const std::string& labels_name) {
  Dataset dataset{std::move(images), as_labels(labels, labels_name), labels_name};
  check_images(dataset.images, images_name);
  if (dataset.labels.count() != dataset.count()) {
    throw Error(fmt::format("{} has {} labels, but {} has {} images", labels_name, dataset.labels.count(), images_name, dataset.count()));
  }
  return dataset;
}

}  // namespace stair::runtime

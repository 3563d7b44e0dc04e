#include "runtime/npy.h"

#include <fmt/format.h>

#include "ir/error.h"
#include "runtime/dataset.h"

// NumPy arrays: images u8 or f32 [N, ...], labels of any integer type [N].

namespace stair::runtime::datasets {
namespace {

Tensor as_labels(Tensor read, const std::string& path) {
  const ir::Type type{ir::DType::i32, read.type().shape};
  if (type.shape.size() != 1) throw Error(path + ": holds labels " + to_string(read.type()) + ", expected one dimension");
  if (ir::is_float(read.type().dtype)) throw Error(path + ": holds labels " + to_string(read.type()) + ", expected integers");
  Tensor labels(type);
  for (std::int64_t i = 0; i < labels.count(); ++i) {
    const auto label = ir::with_element_type(read.type().dtype, [&]<class T>(T) { return static_cast<std::int64_t>(read.as<T>()[i]); });
    if (label < 0 || label > 1'000'000) throw Error(fmt::format("{}: the label of image {} is {}", path, i, label));
    labels.as<std::int32_t>()[i] = static_cast<std::int32_t>(label);
  }
  return labels;
}

Dataset load_npy(const DatasetFiles& files) {
  const std::string& images_path = files.at("images").front();
  const std::string& labels_path = files.at("labels").front();
  Dataset dataset{read_npy(images_path), as_labels(read_npy(labels_path), labels_path), labels_path};
  const ir::Type& type = dataset.images.type();
  if (type.shape.size() < 2 || (type.dtype != ir::DType::u8 && type.dtype != ir::DType::f32)) {
    throw Error(images_path + ": holds images " + to_string(type) + ", expected u8 or f32 [count, ...]");
  }
  check_images(dataset.images, images_path);
  if (dataset.labels.count() != dataset.count()) {
    throw Error(fmt::format("{} has {} labels, but {} has {} images", labels_path, dataset.labels.count(), images_path, dataset.count()));
  }
  return dataset;
}

}  // namespace

void npy(DatasetRegistry& registry) {
  registry.add({"npy", "NumPy arrays: images u8 or f32 [N, ...], labels of an integer type [N]", {"images", "labels"}, false, load_npy});
}

}  // namespace stair::runtime::datasets

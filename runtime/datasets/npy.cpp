#include "runtime/npy.h"

#include <utility>

#include "runtime/arrays.h"
#include "runtime/dataset.h"

// NumPy arrays: images u8 or f32 [N, ...], labels of any integer type [N].

namespace stair::runtime::datasets {
namespace {

Dataset load_npy(const DatasetPart& part) {
  const std::string& images = part.files.at("images").front();
  const std::string& labels = part.files.at("labels").front();
  Tensor examples = read_npy(images);  // whose faults are told first
  return dataset_of_arrays(std::move(examples), images, read_npy(labels), labels);
}

}  // namespace

void npy(DatasetRegistry& registry) {
  registry.add({"npy", "NumPy arrays: images u8 or f32 [N, ...], labels of an integer type [N]", {"images", "labels"}, false, load_npy});
}

}  // namespace stair::runtime::datasets

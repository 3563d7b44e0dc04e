#include "runtime/datasets/cifar.h"

namespace stair::runtime::datasets {

void cifar10(DatasetRegistry& registry) {
  registry.add({"cifar10", "CIFAR-10 in its binary version, gzipped or not", {"batches"}, true, [](const DatasetPart& part) {
                  return load_cifar(part.files.at("batches"), 1, 0, 10);
                }});
}

}  // namespace stair::runtime::datasets

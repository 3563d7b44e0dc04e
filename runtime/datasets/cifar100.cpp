#include "runtime/datasets/cifar.h"

namespace stair::runtime::datasets {

void cifar100(DatasetRegistry& registry) {
  registry.add({.name = "cifar100",
                .summary = "CIFAR-100 in its binary version, gzipped or not",
                .files = {"batches"},
                .many = true,
                .load =
                    [](const DatasetPart& part) {
                      const bool fine = part.settings.text("classes") == "fine";
                      return load_cifar(part.files.at("batches"), 2, fine ? 1 : 0, fine ? 100 : 20);
                    },
                .settings = {ir::choice("classes", "the 100 classes, or the 20 that they are grouped into", {"fine", "coarse"})}});
}

}  // namespace stair::runtime::datasets

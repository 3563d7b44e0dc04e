#include "runtime/augmentation.h"

namespace stair::runtime::augmentations_ {

void random_crop(AugmentationRegistry& registry) {
  registry.add({.name = "random_crop",
                .summary = "of a picture that is larger than the model's input, a part at a random place instead of its middle",
                .setting = {.name = "", .doc = "", .fallback = false},
                .streams = {107, 108},
                .cuts_windows = true});
}

}  // namespace stair::runtime::augmentations_

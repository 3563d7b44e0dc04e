#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "backends/min_max.h"
#include "ir/attribute_spec.h"
#include "ir/kinds.h"

namespace stair::runtime {

/// A picture [C, H, W] before normalization: bytes divided by 255, f32 as the data has them.
struct Picture {
  std::int64_t channels = 0, height = 0, width = 0;
  std::vector<float> values;
  bool bytes = false;  ///< they were bytes: values stay between 0 and 1
};

/// A random number made one of [low, high).
inline double uniform(std::uint64_t random, double low, double high) {
  return low + (high - low) * (static_cast<double>(random >> 11U) * 0x1p-53);
}

/// A random change of training pictures: one file in runtime/augmentations. Its setting is a member of the experiment's "augmentation".
/// Those that are on change a picture one after another, in the order of their names.
struct Augmentation {
  std::string name;
  std::string summary;
  ir::AttributeSpec setting;           ///< type, bounds and members of the setting; its default changes nothing
  std::vector<std::uint64_t> streams;  ///< of random numbers (ir/random.h), which no other purpose has (shuffling: 101)
  /// `random` has a number of each stream: a function of seed, epoch and image, so that neither threads nor resuming matter.
  std::function<void(Picture& picture, const ir::Attribute& setting, std::span<const std::uint64_t> random)> change = {};
  /// What the range of a channel's values may become, of data that aren't bytes; none: it stays.
  std::function<void(const ir::Attribute& setting, backends::MinMax& range)> widen = {};
  /// Instead of `change`: of pictures that are larger than the model's input a window at a random place is taken, its two random numbers
  /// (Window) those of two streams; else the middle.
  bool cuts_windows = false;
  /// Instead of `change`: how much of an example is kept where it is mixed with another one (of any kind of numbers), of (0, 1]; which one
  /// the second random number says. The loss knows of both.
  std::function<double(const ir::Attribute& setting, std::uint64_t random)> mixes = {};
};

/// The range of what brings zeros.
void with_zero(const ir::Attribute& setting, backends::MinMax& range);

using AugmentationRegistry = ir::Registry<Augmentation>;
const AugmentationRegistry& augmentations();

/// The key of an experiment.
const ir::AttributeSpec& augmentation_spec();

/// Whether these switch one on that cuts windows.
bool cuts_windows(const ir::Attributes& members);

/// The one of these that mixes examples, and its setting; nullptr for none.
std::pair<const Augmentation*, ir::Attribute> mixing(const ir::Attributes& members);

/// Those that the members of such a key switch on, with their settings.
std::vector<std::pair<const Augmentation*, ir::Attribute>> switched_on(const ir::Attributes& members);

}  // namespace stair::runtime

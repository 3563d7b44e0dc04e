#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "runtime/augmentation.h"
#include "runtime/dataset.h"
#include "runtime/tensor.h"

namespace stair::runtime {

/// From pictures to what a model is fed: u8 / 255, then (x - mean[c]) / std[c] by channel. f32 data isn't divided by 255.
struct Normalization {
  std::vector<double> mean, std;  ///< empty: none (0 and 1); else one a channel, or one for all
};
/// Error "/mean/0: found …, expected …" unless there is one of each for all channels (dimension 1 of the images) or one a channel, all are
/// finite in binary32, and each std is above 0 there.
void check_normalization(const Normalization& normalization, const ir::Type& images);
/// Whether both do the same.
bool same_normalization(const Normalization& a, const Normalization& b);

/// What a step of training is fed.
struct Batch {
  Tensor images, labels;
};

/// Makes batches of a data set; what is slow to be read, on all processors.
class Batches {
 public:
  /// `augmentation` has the members of augmentation_spec() that aren't at their defaults, or all of them. Error where the normalization
  /// doesn't fit the number of channels or makes something infinite of the data (N-FINITE), augmentation is asked of what aren't pictures,
  /// or windows of pictures of which none is larger than an example.
  Batches(const Dataset& dataset, std::int64_t batch, const Normalization& normalization, const ir::Attributes& augmentation,
          std::uint64_t seed);

  const Dataset& dataset() const { return dataset_; }
  /// Type of the images of a batch: f32 [batch, ...].
  const ir::Type& type() const { return type_; }
  /// Whole batches of an epoch of training: what is left over is dropped.
  std::int64_t training_batches() const { return dataset_.count() / batch_; }
  /// Batches that cover all images in order; the last may be padded with copies of its first image.
  std::int64_t evaluation_batches() const { return (dataset_.count() + batch_ - 1) / batch_; }

  /// Fills the batch `index` of an epoch of training: shuffled (Fisher-Yates by seed and epoch) and augmented.
  void load_training(std::int64_t epoch, std::int64_t index);
  /// Fills the batch `index` in the data set's order; returns how many of its images count.
  std::int64_t load_evaluation(std::int64_t index);

  ir::TensorView images() const { return loaded_.images.view(); }
  ir::TensorView labels() const { return loaded_.labels.view(); }

  /// Memory of a batch.
  Batch make() const;
  /// Gives what was loaded away for the memory of another batch, so that it outlives the next one.
  void exchange(Batch& other) { std::swap(loaded_, other); }

 private:
  struct Scratch {                // of a thread that loads
    std::vector<std::byte> room;  // for an example
    Picture picture;              // that is being augmented
  };

  void check_range() const;
  void shuffle(std::int64_t epoch);
  template <class Load>
  void load(const Load& load_one);
  std::vector<std::uint64_t> random_numbers(const Augmentation& kind, std::int64_t epoch, std::int64_t image) const;
  void load_label(std::int64_t from, std::int64_t to);
  void load_image(const std::byte* image, std::int64_t to);
  void load_augmented(const std::byte* image, std::int64_t from, std::int64_t to, std::int64_t epoch, Picture& picture);

  const Dataset& dataset_;
  std::int64_t batch_;
  std::vector<std::pair<const Augmentation*, ir::Attribute>> augmentation_;
  const Augmentation* cutting_ = nullptr;  // of these, the one that cuts windows
  std::uint64_t seed_;
  std::int64_t channels_ = 1;
  std::int64_t area_ = 1;          // elements of a channel of an image
  std::vector<Scratch> scratch_;   // one a thread
  std::vector<float> mean_, std_;  // by channel
  std::vector<float> table_;       // [channel, 256]: what a byte becomes
  std::vector<std::int64_t> order_;
  std::int64_t order_epoch_ = -1;
  ir::Type type_;
  Batch loaded_;
};

}  // namespace stair::runtime

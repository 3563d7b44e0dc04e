#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
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
/// One an input of a model; none at all: no input has any.
using Normalizations = std::vector<Normalization>;

/// Error "/mean/0: found …, expected …" (the pointers being those of the two) unless there is one of each for all channels (dimension 1 of
/// the images) or one a channel, all are finite in binary32, and each std is above 0 there.
void check_normalization(const Normalization& normalization, const ir::Type& images, const std::string& mean_at = "/mean",
                         const std::string& std_at = "/std");
/// Whether both do the same.
bool same_normalization(const Normalization& a, const Normalization& b);
bool same_normalizations(const Normalizations& a, const Normalizations& b);

/// What a step of training is fed: tensors as a Dataset has them, inputs as f32 [batch, ...].
struct Batch {
  std::vector<Tensor> inputs, labels;
  /// Where examples are mixed: the labels of those that they are mixed with, and each one's own share, f32 [batch, 1].
  std::vector<Tensor> partners = {};
  std::optional<Tensor> shares = {};
};

/// Makes batches of a data set; what is slow to be read, on all processors.
class Batches {
 public:
  /// `augmentation` has the members of augmentation_spec() that aren't at their defaults, or all of them; it changes all inputs that are
  /// pictures, those of one example by the same random numbers. Error where a normalization doesn't fit the number of channels or makes
  /// something infinite of the data (N-FINITE), augmentation is asked where no input is a picture, windows of pictures of which none is
  /// larger than an example, or mixtures of indices.
  Batches(const Dataset& dataset, std::int64_t batch, const Normalizations& normalizations, const ir::Attributes& augmentation,
          std::uint64_t seed);

  const Dataset& dataset() const { return dataset_; }
  /// Examples of a batch.
  std::int64_t size() const { return batch_; }
  /// Whole batches of an epoch of training: what is left over is dropped.
  std::int64_t training_batches() const { return dataset_.count() / batch_; }
  /// Batches that cover all images in order; the last may be padded with copies of its first image.
  std::int64_t evaluation_batches() const { return (dataset_.count() + batch_ - 1) / batch_; }

  /// Fills the batch `index` of an epoch of training: shuffled (Fisher-Yates by seed and epoch) and augmented.
  void load_training(std::int64_t epoch, std::int64_t index);
  /// Fills the batch `index` in the data set's order; returns how many of its images count.
  std::int64_t load_evaluation(std::int64_t index);

  /// What was loaded, one an input: until exchange() gives it away, the same memory.
  std::vector<ir::TensorView> inputs() const;
  const Batch& loaded() const { return loaded_; }

  /// Memory of a batch.
  Batch make() const;
  /// Gives what was loaded away for the memory of another batch, so that it outlives the next one.
  void exchange(Batch& other) { std::swap(loaded_, other); }

 private:
  struct Input {
    const Examples& examples;
    const std::string& file;
    bool augmented = false;        // it is pictures, and some augmentation is on
    std::int64_t channels = 1;     // of an example
    std::int64_t area = 1;         // elements of a channel
    std::vector<float> mean = {};  // by channel
    std::vector<float> std = {};
    std::vector<float> table = {};  // [channel, 256]: what a byte becomes
    ir::Type type = {};             // of a batch
    bool bytes() const { return examples.type().dtype == ir::DType::u8; }
    bool indices() const { return examples.type().dtype == ir::DType::i32; }
  };
  struct Scratch {                             // of a thread that loads
    std::vector<std::vector<std::byte>> room;  // for an example of each input
    std::vector<Picture> picture;              // that is being augmented
    std::vector<float> other;                  // that an example is mixed with
  };

  void add_input(std::size_t number, const Normalization& normalization);
  void find_cutting();
  void find_mixing();
  void check_range(const Input& input) const;
  void shuffle(std::int64_t epoch);
  template <class Load>
  void load(const Load& load_one);
  std::vector<std::uint64_t> random_numbers(const Augmentation& kind, std::int64_t epoch, std::int64_t image) const;
  void load_labels(std::int64_t from, std::int64_t to);
  void load_one(std::size_t input, std::int64_t from, std::int64_t epoch, Scratch& scratch, float* to) const;
  void mix(std::int64_t from, std::int64_t epoch, Scratch& scratch, std::int64_t to);
  void load_example(const Input& input, const std::byte* example, float* to) const;
  void load_augmented(const Input& input, const std::byte* example, std::int64_t from, std::int64_t epoch, Picture& picture,
                      float* to) const;
  float* row(std::size_t input, std::int64_t index) const;

  const Dataset& dataset_;
  std::int64_t batch_;
  std::vector<std::pair<const Augmentation*, ir::Attribute>> augmentation_;
  const Augmentation* cutting_ = nullptr;  // of these, the one that cuts windows
  std::pair<const Augmentation*, ir::Attribute> mixing_;
  std::uint64_t seed_;
  std::vector<Input> inputs_;
  std::vector<Scratch> scratch_;  // one a thread
  std::vector<std::int64_t> order_;
  std::int64_t order_epoch_ = -1;
  Batch loaded_;
};

}  // namespace stair::runtime

#include "runtime/batches.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "backends/min_max.h"
#include "ir/error.h"
#include "ir/random.h"

namespace stair::runtime {
namespace {

constexpr std::uint64_t shuffling = 101;  // stream of random numbers; those of augmentations stand in their files

std::vector<float> by_channel(const std::vector<double>& values, std::int64_t channels, double fallback) {
  std::vector<float> spread;
  for (std::size_t c = 0; c < static_cast<std::size_t>(channels); ++c) {
    spread.push_back(static_cast<float>(values.empty() ? fallback : values[values.size() == 1 ? 0 : c]));
  }
  return spread;
}

}  // namespace

void check_normalization(const Normalization& normalization, const ir::Type& images) {
  const std::int64_t channels = images.shape.size() < 2 ? 1 : images.shape[1];
  for (const auto& [key, values] : {std::pair{"mean", &normalization.mean}, std::pair{"std", &normalization.std}}) {
    if (values->size() > 1 && values->size() != static_cast<std::size_t>(channels)) {
      throw Error(fmt::format("/{}: found {} numbers, expected 1{}", key, values->size(),
                              channels == 1 ? "" : fmt::format(" or {}, one a channel", channels)));
    }
    for (std::size_t i = 0; i < values->size(); ++i) {
      const auto value = static_cast<float>((*values)[i]);
      const bool is_mean = values == &normalization.mean;
      if (std::isfinite(value) && (is_mean || value > 0)) continue;
      throw Error(fmt::format("/{}/{}: found {}, expected {} in binary32", key, i, (*values)[i],
                              is_mean ? "a finite number" : "a finite number above 0"));
    }
  }
}

bool same_normalization(const Normalization& a, const Normalization& b) {
  const auto channels = static_cast<std::int64_t>(std::max({a.mean.size(), a.std.size(), b.mean.size(), b.std.size(), std::size_t{1}}));
  return by_channel(a.mean, channels, 0) == by_channel(b.mean, channels, 0) &&
         by_channel(a.std, channels, 1) == by_channel(b.std, channels, 1);
}

Batches::Batches(const Dataset& dataset, std::int64_t batch, const Normalization& normalization, const ir::Attributes& augmentation,
                 std::uint64_t seed)
    : dataset_(dataset), batch_(batch), augmentation_(switched_on(augmentation)), seed_(seed) {
  ir::Shape shape = dataset.images.type().shape;
  if (batch > dataset.count()) {
    throw Error("a batch of " + std::to_string(batch) + " images of a data set of " + std::to_string(dataset.count()) + " (" +
                dataset.source + ")");
  }
  channels_ = shape[1];
  area_ = dataset.images.count() / dataset.count() / channels_;
  if (!augmentation_.empty()) {
    if (shape.size() != 4) throw Error("augmentation of images " + to_string(dataset.images.type()) + ", expected pictures [N,C,H,W]");
    picture_ = {shape[1], shape[2], shape[3], std::vector<float>(static_cast<std::size_t>(channels_ * area_))};
  }
  check_normalization(normalization, dataset.images.type());
  mean_ = by_channel(normalization.mean, channels_, 0);
  std_ = by_channel(normalization.std, channels_, 1);
  for (std::size_t c = 0; c < mean_.size(); ++c) {
    for (int byte = 0; byte < 256; ++byte) table_.push_back((static_cast<float>(byte) / 255.0F - mean_[c]) / std_[c]);
  }
  check_range();
  shape.front() = batch;
  type_ = {ir::DType::f32, shape};
  loaded_ = make();
}

// The function is monotone, so that the ends of what it is given tell.
void Batches::check_range() const {
  const bool zeros = std::any_of(augmentation_.begin(), augmentation_.end(), [](const auto& on) { return on.first->brings_zeros; });
  for (std::int64_t c = 0; c < channels_; ++c) {
    const auto channel = static_cast<std::size_t>(c);
    backends::MinMax extent;
    if (zeros) extent.see(0.0F, 0.0F);
    if (dataset_.images.type().dtype == ir::DType::u8) {
      extent.see(0.0F, 1.0F);
    } else {
      for (std::int64_t n = 0; n < dataset_.count(); ++n) extent.see(dataset_.images.as<float>() + (n * channels_ + c) * area_, area_);
    }
    for (const float x : {extent.low, extent.high}) {
      const float normalized = (x - mean_[channel]) / std_[channel];
      if (std::isfinite(normalized)) continue;
      throw Error(fmt::format("{}: with mean {} and std {} the value {} of channel {} becomes {}, expected finite numbers", dataset_.source,
                              mean_[channel], std_[channel], x, c, normalized));
    }
  }
}

Batch Batches::make() const {
  ir::Type labels = dataset_.labels.type();
  labels.shape.front() = batch_;
  return {Tensor(type_), Tensor(labels)};
}

void Batches::shuffle(std::int64_t epoch) {
  if (order_epoch_ == epoch) return;
  order_epoch_ = epoch;
  order_.resize(static_cast<std::size_t>(dataset_.count()));
  std::iota(order_.begin(), order_.end(), 0);
  for (std::size_t i = order_.size() - 1; i > 0; --i) {
    std::swap(order_[i], order_[ir::random_bits(seed_, shuffling, static_cast<std::uint64_t>(epoch), i) % (i + 1)]);
  }
}

void Batches::load_training(std::int64_t epoch, std::int64_t index) {
  shuffle(epoch);
  for (std::int64_t i = 0; i < batch_; ++i) {
    const std::int64_t from = order_[static_cast<std::size_t>(index * batch_ + i)];
    augmentation_.empty() ? load_image(from, i) : load_augmented(from, i, epoch);
  }
}

std::int64_t Batches::load_evaluation(std::int64_t index) {
  const std::int64_t count = std::min(batch_, dataset_.count() - index * batch_);
  for (std::int64_t i = 0; i < batch_; ++i) load_image(index * batch_ + (i < count ? i : 0), i);
  return count;
}

// Before normalization.
float Batches::element(std::int64_t index) const {
  if (dataset_.images.type().dtype == ir::DType::f32) return dataset_.images.as<float>()[index];
  return static_cast<float>(dataset_.images.as<std::uint8_t>()[index]) / 255.0F;
}

void Batches::load_label(std::int64_t from, std::int64_t to) {
  copy_row(dataset_.labels.view(), from, loaded_.labels.view(), to);
}

void Batches::load_image(std::int64_t from, std::int64_t to) {
  load_label(from, to);
  const bool bytes = dataset_.images.type().dtype == ir::DType::u8;
  for (std::int64_t c = 0; c < channels_; ++c) {
    const auto channel = static_cast<std::size_t>(c);
    const std::int64_t first = (from * channels_ + c) * area_;
    float* const out = loaded_.images.as<float>() + (to * channels_ + c) * area_;
    const float* const table = table_.data() + 256 * c;
    for (std::int64_t i = 0; i < area_; ++i) {
      out[i] = bytes ? table[dataset_.images.as<std::uint8_t>()[first + i]] : (element(first + i) - mean_[channel]) / std_[channel];
    }
  }
}

void Batches::load_augmented(std::int64_t from, std::int64_t to, std::int64_t epoch) {
  load_label(from, to);
  const std::int64_t count = channels_ * area_;
  for (std::int64_t i = 0; i < count; ++i) picture_.values[static_cast<std::size_t>(i)] = element(from * count + i);
  for (const auto& [kind, setting] : augmentation_) {
    std::vector<std::uint64_t> random;
    for (const std::uint64_t stream : kind->streams) {
      random.push_back(ir::random_bits(seed_, stream, static_cast<std::uint64_t>(epoch), static_cast<std::uint64_t>(from)));
    }
    kind->change(picture_, setting, random);
  }
  for (std::int64_t i = 0; i < count; ++i) {
    const auto channel = static_cast<std::size_t>(i / area_);
    loaded_.images.as<float>()[to * count + i] = (picture_.values[static_cast<std::size_t>(i)] - mean_[channel]) / std_[channel];
  }
}

}  // namespace stair::runtime

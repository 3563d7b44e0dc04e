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

// Streams of random numbers, one a purpose.
enum Stream : std::uint64_t { shuffling = 101, flipping, row_shift, column_shift };

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

Batches::Batches(const Dataset& dataset, std::int64_t batch, const Normalization& normalization, Augmentation augmentation,
                 std::uint64_t seed)
    : dataset_(dataset), batch_(batch), augmentation_(augmentation), seed_(seed) {
  ir::Shape shape = dataset.images.type().shape;
  if (batch > dataset.count()) {
    throw Error("a batch of " + std::to_string(batch) + " images of a data set of " + std::to_string(dataset.count()) + " (" +
                dataset.source + ")");
  }
  channels_ = shape[1];
  const bool pictures = shape.size() == 4;
  if (!pictures && (augmentation.flip || augmentation.crop_padding > 0)) {
    throw Error("augmentation of images " + to_string(dataset.images.type()) + ", expected pictures [N,C,H,W]");
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
  const std::int64_t area = dataset_.images.count() / dataset_.count() / channels_;
  for (std::int64_t c = 0; c < channels_; ++c) {
    const auto channel = static_cast<std::size_t>(c);
    backends::MinMax extent;
    if (augmentation_.crop_padding > 0) extent.see(0.0F, 0.0F);
    if (dataset_.images.type().dtype == ir::DType::u8) {
      extent.see(0.0F, 1.0F);
    } else {
      for (std::int64_t n = 0; n < dataset_.count(); ++n) extent.see(dataset_.images.as<float>() + (n * channels_ + c) * area, area);
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
  return {Tensor(type_), Tensor({ir::DType::i32, {batch_}})};
}

void Batches::shuffle(std::int64_t epoch) {
  if (order_epoch_ == epoch) return;
  order_epoch_ = epoch;
  order_.resize(static_cast<std::size_t>(dataset_.count()));
  std::iota(order_.begin(), order_.end(), 0);
  for (std::size_t i = order_.size() - 1; i > 0; --i) {
    std::swap(order_[i], order_[ir::random_bits(seed_, Stream::shuffling, static_cast<std::uint64_t>(epoch), i) % (i + 1)]);
  }
}

void Batches::load_training(std::int64_t epoch, std::int64_t index) {
  shuffle(epoch);
  for (std::int64_t i = 0; i < batch_; ++i) load_image(order_[static_cast<std::size_t>(index * batch_ + i)], i, epoch, true);
}

std::int64_t Batches::load_evaluation(std::int64_t index) {
  const std::int64_t count = std::min(batch_, dataset_.count() - index * batch_);
  for (std::int64_t i = 0; i < batch_; ++i) load_image(index * batch_ + (i < count ? i : 0), i, 0, false);
  return count;
}

void Batches::load_image(std::int64_t from, std::int64_t to, std::int64_t epoch, bool augmented) {
  loaded_.labels.as<std::int32_t>()[to] = dataset_.labels.as<std::int32_t>()[from];
  const ir::Shape& shape = dataset_.images.type().shape;
  const std::int64_t count = dataset_.images.count() / dataset_.count();
  const std::int64_t width = shape.size() == 4 ? shape[3] : count / channels_;
  const std::int64_t height = count / channels_ / width;
  std::int64_t down = 0;
  std::int64_t right = 0;
  bool flip = false;
  if (augmented) {
    const auto draw = [&](Stream stream) {
      return ir::random_bits(seed_, stream, static_cast<std::uint64_t>(epoch), static_cast<std::uint64_t>(from));
    };
    const std::int64_t padding = augmentation_.crop_padding;
    const auto choices = static_cast<std::uint64_t>(2 * padding + 1);
    down = static_cast<std::int64_t>(draw(Stream::row_shift) % choices) - padding;
    right = static_cast<std::int64_t>(draw(Stream::column_shift) % choices) - padding;
    flip = augmentation_.flip && draw(Stream::flipping) % 2 == 1;
  }
  const bool bytes = dataset_.images.type().dtype == ir::DType::u8;
  for (std::int64_t c = 0; c < channels_; ++c) {
    const auto channel = static_cast<std::size_t>(c);
    const float* const table = table_.data() + 256 * c;
    const auto value = [&](std::int64_t at) {
      if (bytes) return table[dataset_.images.as<std::uint8_t>()[at]];
      return (dataset_.images.as<float>()[at] - mean_[channel]) / std_[channel];
    };
    const float outside = (0.0F - mean_[channel]) / std_[channel];
    for (std::int64_t h = 0; h < height; ++h) {
      float* const out = loaded_.images.as<float>() + to * count + (c * height + h) * width;
      const std::int64_t row = h + down;
      const std::int64_t first = from * count + (c * height + row) * width;
      const bool inside = row >= 0 && row < height;
      if (inside && right == 0 && !flip) {
        for (std::int64_t w = 0; w < width; ++w) out[w] = value(first + w);
        continue;
      }
      for (std::int64_t w = 0; w < width; ++w) {
        const std::int64_t column = (flip ? width - 1 - w : w) + right;
        out[w] = inside && column >= 0 && column < width ? value(first + column) : outside;
      }
    }
  }
}

}  // namespace stair::runtime

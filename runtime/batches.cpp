#include "runtime/batches.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "backends/min_max.h"
#include "backends/parallel_for.h"
#include "ir/error.h"
#include "ir/random.h"
#include "runtime/processors.h"

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
  area_ = dataset.images.elements() / channels_;
  if (!augmentation_.empty() && shape.size() != 4)
    throw Error("augmentation of images " + to_string(dataset.images.type()) + ", expected pictures [N,C,H,W]");
  const auto cutting = std::find_if(augmentation_.begin(), augmentation_.end(), [](const auto& on) { return on.first->cuts_windows; });
  if (cutting != augmentation_.end()) {
    cutting_ = cutting->first;
    if (!dataset.images.larger()) {
      throw Error(
          fmt::format("augmentation '{}': no picture of {} is larger than the model's input, expected a folder of larger ones, or "
                      "its 'shorter_side'",
                      cutting_->name, dataset.source));
    }
    augmentation_.erase(cutting);
  }
  scratch_.resize(dataset.images.slow() ? static_cast<std::size_t>(usable_processors()) : 1);
  for (Scratch& scratch : scratch_) {
    scratch.room.resize(dataset.images.bytes());
    if (!augmentation_.empty())
      scratch.picture = {shape[1], shape[2], shape[3], std::vector<float>(static_cast<std::size_t>(channels_ * area_)),
                         dataset.images.type().dtype == ir::DType::u8};
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
  for (std::int64_t c = 0; c < channels_; ++c) {
    const auto channel = static_cast<std::size_t>(c);
    backends::MinMax extent;
    if (dataset_.images.type().dtype == ir::DType::u8) {
      extent.see(0.0F, 1.0F);
    } else {
      extent = dataset_.images.extents().channels[channel];
      for (const auto& [kind, setting] : augmentation_) {
        if (kind->widen) kind->widen(setting, extent);
      }
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
  load([&](std::int64_t i, Scratch& scratch) {
    const std::int64_t from = order_[static_cast<std::size_t>(index * batch_ + i)];
    Window window;
    if (cutting_ != nullptr) {
      const std::vector<std::uint64_t> random = random_numbers(*cutting_, epoch, from);
      window = {random[0], random[1]};
    }
    const std::byte* const image = dataset_.images.read(from, scratch.room.data(), cutting_ != nullptr ? &window : nullptr);
    augmentation_.empty() ? load_image(image, i) : load_augmented(image, from, i, epoch, scratch.picture);
    load_label(from, i);
  });
}

std::int64_t Batches::load_evaluation(std::int64_t index) {
  const std::int64_t count = std::min(batch_, dataset_.count() - index * batch_);
  load([&](std::int64_t i, Scratch& scratch) {
    const std::int64_t from = index * batch_ + (i < count ? i : 0);
    load_image(dataset_.images.read(from, scratch.room.data()), i);
    load_label(from, i);
  });
  return count;
}

template <class Load>
void Batches::load(const Load& load_one) {
  backends::parallel_for(batch_, static_cast<int>(scratch_.size()),
                         [&](std::int64_t i, int slot) { load_one(i, scratch_[static_cast<std::size_t>(slot)]); });
}

std::vector<std::uint64_t> Batches::random_numbers(const Augmentation& kind, std::int64_t epoch, std::int64_t image) const {
  std::vector<std::uint64_t> random;
  for (const std::uint64_t stream : kind.streams)
    random.push_back(ir::random_bits(seed_, stream, static_cast<std::uint64_t>(epoch), static_cast<std::uint64_t>(image)));
  return random;
}

void Batches::load_label(std::int64_t from, std::int64_t to) {
  copy_row(dataset_.labels.view(), from, loaded_.labels.view(), to);
}

void Batches::load_image(const std::byte* image, std::int64_t to) {
  const bool bytes = dataset_.images.type().dtype == ir::DType::u8;
  for (std::int64_t c = 0; c < channels_; ++c) {
    const auto channel = static_cast<std::size_t>(c);
    float* const out = loaded_.images.as<float>() + (to * channels_ + c) * area_;
    const float* const table = table_.data() + 256 * c;
    const auto* const byte = reinterpret_cast<const std::uint8_t*>(image) + c * area_;
    const auto* const real = reinterpret_cast<const float*>(image) + c * area_;
    for (std::int64_t i = 0; i < area_; ++i) out[i] = bytes ? table[byte[i]] : (real[i] - mean_[channel]) / std_[channel];
  }
}

void Batches::load_augmented(const std::byte* image, std::int64_t from, std::int64_t to, std::int64_t epoch, Picture& picture) {
  const auto* const byte = reinterpret_cast<const std::uint8_t*>(image);
  const auto* const real = reinterpret_cast<const float*>(image);
  for (std::size_t i = 0; i < picture.values.size(); ++i)
    picture.values[i] = picture.bytes ? static_cast<float>(byte[i]) / 255.0F : real[i];
  for (const auto& [kind, setting] : augmentation_) kind->change(picture, setting, random_numbers(*kind, epoch, from));
  const std::int64_t count = channels_ * area_;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto channel = static_cast<std::size_t>(i / area_);
    loaded_.images.as<float>()[to * count + i] = (picture.values[static_cast<std::size_t>(i)] - mean_[channel]) / std_[channel];
  }
}

}  // namespace stair::runtime

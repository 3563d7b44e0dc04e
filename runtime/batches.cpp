#include "runtime/batches.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
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

bool is_pictures(const ir::Type& examples) {
  return examples.shape.size() == 4 && examples.dtype != ir::DType::i32;
}

}  // namespace

void check_normalization(const Normalization& normalization, const ir::Type& images, const std::string& mean_at,
                         const std::string& std_at) {
  const std::int64_t channels = images.shape.size() < 2 ? 1 : images.shape[1];
  for (const auto& [pointer, values] : {std::pair{mean_at, &normalization.mean}, std::pair{std_at, &normalization.std}}) {
    if (values->size() > 1 && values->size() != static_cast<std::size_t>(channels)) {
      throw Error(fmt::format("{}: found {} numbers, expected 1{}", pointer, values->size(),
                              channels == 1 ? "" : fmt::format(" or {}, one a channel", channels)));
    }
    for (std::size_t i = 0; i < values->size(); ++i) {
      const auto value = static_cast<float>((*values)[i]);
      const bool is_mean = values == &normalization.mean;
      if (std::isfinite(value) && (is_mean || value > 0)) continue;
      throw Error(fmt::format("{}/{}: found {}, expected {} in binary32", pointer, i, (*values)[i],
                              is_mean ? "a finite number" : "a finite number above 0"));
    }
  }
}

bool same_normalization(const Normalization& a, const Normalization& b) {
  const auto channels = static_cast<std::int64_t>(std::max({a.mean.size(), a.std.size(), b.mean.size(), b.std.size(), std::size_t{1}}));
  return by_channel(a.mean, channels, 0) == by_channel(b.mean, channels, 0) &&
         by_channel(a.std, channels, 1) == by_channel(b.std, channels, 1);
}

bool same_normalizations(const Normalizations& a, const Normalizations& b) {
  const auto at = [](const Normalizations& all, std::size_t i) { return i < all.size() ? all[i] : Normalization(); };
  for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    if (!same_normalization(at(a, i), at(b, i))) return false;
  }
  return true;
}

Batches::Batches(const Dataset& dataset, std::int64_t batch, const Normalizations& normalizations, const ir::Attributes& augmentation,
                 std::uint64_t seed)
    : dataset_(dataset), batch_(batch), augmentation_(switched_on(augmentation)), seed_(seed) {
  if (batch > dataset.count()) {
    throw Error("a batch of " + std::to_string(batch) + " images of a data set of " + std::to_string(dataset.count()) + " (" +
                dataset.source + ")");
  }
  find_mixing();
  const auto are_pictures = [](const Examples& examples) { return is_pictures(examples.type()); };
  if (!augmentation_.empty() && std::none_of(dataset.inputs.begin(), dataset.inputs.end(), are_pictures))
    throw Error("augmentation of images " + to_string(dataset.inputs.front().type()) + ", expected pictures [N,C,H,W]");
  find_cutting();
  const bool slow = std::any_of(dataset.inputs.begin(), dataset.inputs.end(), [](const Examples& examples) { return examples.slow(); });
  scratch_.resize(slow ? static_cast<std::size_t>(usable_processors()) : 1);
  for (std::size_t i = 0; i < dataset.inputs.size(); ++i) add_input(i, normalizations.empty() ? Normalization() : normalizations.at(i));
  loaded_ = make();
}

// Windows aren't cut by a change of a picture, but as it is read.
void Batches::find_cutting() {
  const auto cutting = std::find_if(augmentation_.begin(), augmentation_.end(), [](const auto& on) { return on.first->cuts_windows; });
  if (cutting == augmentation_.end()) return;
  cutting_ = cutting->first;
  if (std::none_of(dataset_.inputs.begin(), dataset_.inputs.end(), [](const Examples& examples) { return examples.larger(); })) {
    throw Error(fmt::format(
        "augmentation '{}': no picture of {} is larger than the model's input, expected a folder of larger ones, or its 'shorter_side'",
        cutting_->name, dataset_.source));
  }
  augmentation_.erase(cutting);
}

void Batches::find_mixing() {
  const auto mixing = std::find_if(augmentation_.begin(), augmentation_.end(), [](const auto& on) { return on.first->mixes != nullptr; });
  if (mixing == augmentation_.end()) return;
  mixing_ = *mixing;
  for (std::size_t i = 0; i < dataset_.inputs.size(); ++i) {
    if (dataset_.inputs[i].type().dtype == ir::DType::i32)
      throw Error("augmentation '" + mixing_.first->name + "': " + dataset_.input_files[i] + " holds indices, which can't be mixed");
  }
  augmentation_.erase(mixing);
}

void Batches::add_input(std::size_t number, const Normalization& normalization) {
  const Examples& examples = dataset_.inputs[number];
  const ir::Shape& shape = examples.type().shape;
  check_normalization(normalization, examples.type());
  Input input{examples, dataset_.input_files[number], !augmentation_.empty() && is_pictures(examples.type()), shape[1]};
  input.area = examples.elements() / input.channels;
  input.mean = by_channel(normalization.mean, input.channels, 0);
  input.std = by_channel(normalization.std, input.channels, 1);
  for (std::size_t c = 0; c < input.mean.size(); ++c) {
    for (int byte = 0; byte < 256; ++byte) input.table.push_back((static_cast<float>(byte) / 255.0F - input.mean[c]) / input.std[c]);
  }
  input.type = {input.indices() ? ir::DType::i32 : ir::DType::f32, shape};
  input.type.shape.front() = batch_;
  if (!input.indices()) check_range(input);
  for (Scratch& scratch : scratch_) {
    scratch.room.emplace_back(examples.bytes());
    Picture& picture = scratch.picture.emplace_back();
    if (input.augmented)
      picture = {shape[1], shape[2], shape[3], std::vector<float>(static_cast<std::size_t>(examples.elements())), input.bytes()};
  }
  inputs_.push_back(std::move(input));
}

// The function is monotone, so that the ends of what it is given tell.
void Batches::check_range(const Input& input) const {
  for (std::int64_t c = 0; c < input.channels; ++c) {
    const auto channel = static_cast<std::size_t>(c);
    backends::MinMax extent;
    if (input.bytes()) {
      extent.see(0.0F, 1.0F);
    } else {
      extent = input.examples.extents().channels[channel];
      for (const auto& [kind, setting] : augmentation_) {
        if (kind->widen && input.augmented) kind->widen(setting, extent);
      }
    }
    for (const float x : {extent.low, extent.high}) {
      const float normalized = (x - input.mean[channel]) / input.std[channel];
      if (std::isfinite(normalized)) continue;
      throw Error(fmt::format("{}: with mean {} and std {} the value {} of channel {} becomes {}, expected finite numbers", input.file,
                              input.mean[channel], input.std[channel], x, c, normalized));
    }
  }
}

Batch Batches::make() const {
  Batch made;
  for (const Input& input : inputs_) made.inputs.emplace_back(input.type);
  for (const Tensor& labels : dataset_.labels) {
    ir::Type type = labels.type();
    type.shape.front() = batch_;
    made.labels.emplace_back(type);
    if (mixing_.first != nullptr) made.partners.emplace_back(type);
  }
  if (mixing_.first != nullptr) made.shares.emplace(ir::Type{ir::DType::f32, {batch_, 1}});
  return made;
}

std::vector<ir::TensorView> Batches::inputs() const {
  return views_of(loaded_.inputs);
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
    for (std::size_t k = 0; k < inputs_.size(); ++k) load_one(k, from, epoch, scratch, row(k, i));
    load_labels(from, i);
    if (mixing_.first != nullptr) mix(from, epoch, scratch, i);
  });
}

void Batches::load_one(std::size_t k, std::int64_t from, std::int64_t epoch, Scratch& scratch, float* to) const {
  Window window;
  if (cutting_ != nullptr) {
    const std::vector<std::uint64_t> random = random_numbers(*cutting_, epoch, from);
    window = {random[0], random[1]};
  }
  const Input& input = inputs_[k];
  const std::byte* const example = input.examples.read(from, scratch.room[k].data(), cutting_ != nullptr ? &window : nullptr);
  input.augmented ? load_augmented(input, example, from, epoch, scratch.picture[k], to) : load_example(input, example, to);
}

// Another example of the data, augmented as it is in this epoch.
void Batches::mix(std::int64_t from, std::int64_t epoch, Scratch& scratch, std::int64_t to) {
  const auto& [kind, setting] = mixing_;
  const std::vector<std::uint64_t> random = random_numbers(*kind, epoch, from);
  const auto partner = static_cast<std::int64_t>(random[1] % static_cast<std::uint64_t>(dataset_.count()));
  const auto share = static_cast<float>(kind->mixes(setting, random[0]));
  for (std::size_t k = 0; k < inputs_.size(); ++k) {
    const auto elements = static_cast<std::size_t>(inputs_[k].examples.elements());
    scratch.other.resize(elements);
    load_one(k, partner, epoch, scratch, scratch.other.data());
    float* const own = row(k, to);
    for (std::size_t i = 0; i < elements; ++i) own[i] = share * own[i] + (1 - share) * scratch.other[i];
  }
  for (std::size_t i = 0; i < loaded_.partners.size(); ++i) copy_row(dataset_.labels[i].view(), partner, loaded_.partners[i].view(), to);
  loaded_.shares->as<float>()[to] = share;
}

std::int64_t Batches::load_evaluation(std::int64_t index) {
  const std::int64_t count = std::min(batch_, dataset_.count() - index * batch_);
  load([&](std::int64_t i, Scratch& scratch) {
    const std::int64_t from = index * batch_ + (i < count ? i : 0);
    for (std::size_t k = 0; k < inputs_.size(); ++k)
      load_example(inputs_[k], inputs_[k].examples.read(from, scratch.room[k].data()), row(k, i));
    load_labels(from, i);
  });
  return count;
}

float* Batches::row(std::size_t input, std::int64_t index) const {
  return loaded_.inputs[input].as<float>() + index * inputs_[input].channels * inputs_[input].area;
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

void Batches::load_labels(std::int64_t from, std::int64_t to) {
  for (std::size_t i = 0; i < loaded_.labels.size(); ++i) copy_row(dataset_.labels[i].view(), from, loaded_.labels[i].view(), to);
}

void Batches::load_example(const Input& input, const std::byte* example, float* to) const {
  if (input.indices()) {
    std::memcpy(to, example, input.examples.bytes());
    return;
  }
  const bool bytes = input.bytes();
  const std::int64_t area = input.area;
  for (std::int64_t c = 0; c < input.channels; ++c) {
    const auto channel = static_cast<std::size_t>(c);
    float* const out = to + c * area;
    const float* const table = input.table.data() + 256 * c;
    const float mean = input.mean[channel];
    const float deviation = input.std[channel];
    const auto* const byte = reinterpret_cast<const std::uint8_t*>(example) + c * area;
    const auto* const real = reinterpret_cast<const float*>(example) + c * area;
    for (std::int64_t i = 0; i < area; ++i) out[i] = bytes ? table[byte[i]] : (real[i] - mean) / deviation;
  }
}

void Batches::load_augmented(const Input& input, const std::byte* example, std::int64_t from, std::int64_t epoch, Picture& picture,
                             float* to) const {
  const auto* const byte = reinterpret_cast<const std::uint8_t*>(example);
  const auto* const real = reinterpret_cast<const float*>(example);
  for (std::size_t i = 0; i < picture.values.size(); ++i)
    picture.values[i] = picture.bytes ? static_cast<float>(byte[i]) / 255.0F : real[i];
  for (const auto& [kind, setting] : augmentation_) kind->change(picture, setting, random_numbers(*kind, epoch, from));
  const std::int64_t count = input.channels * input.area;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto channel = static_cast<std::size_t>(i / input.area);
    to[i] = (picture.values[static_cast<std::size_t>(i)] - input.mean[channel]) / input.std[channel];
  }
}

}  // namespace stair::runtime

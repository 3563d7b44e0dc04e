#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "backends/parallel_for.h"
#include "ir/error.h"
#include "runtime/dataset.h"
#include "runtime/file.h"
#include "runtime/picture_file.h"
#include "runtime/processors.h"

// A folder of pictures, PNG or JPEG: CLASS/NAME.png. Classes are numbered in the order of their names, byte by byte.

namespace stair::runtime::datasets {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> names_in(const std::string& folder, bool folders) {
  std::vector<std::string> names;
  std::error_code failure;
  for (fs::directory_iterator at(folder, failure), end; !failure && at != end; at.increment(failure)) {
    const std::string name = at->path().filename().string();
    std::error_code ignored;
    if (name.starts_with('.') || at->is_directory(ignored) != folders) continue;
    names.push_back(name);
  }
  if (failure) throw Error(folder + ": can't be listed: " + failure.message());
  std::sort(names.begin(), names.end());
  return names;
}

struct Files {
  std::vector<std::string> paths, classes;
  std::vector<std::int32_t> labels;
};

Files files_of(const std::string& folder) {
  Files files;
  files.classes = names_in(folder, true);
  if (files.classes.size() < 2) {
    throw Error(fmt::format("{}: has {} folders, expected one for each class: CLASS/PICTURE.png", folder, files.classes.size()));
  }
  for (std::size_t c = 0; c < files.classes.size(); ++c) {
    const std::string of_class = (fs::path(folder) / files.classes[c]).string();
    const std::size_t before = files.paths.size();
    for (const std::string& name : names_in(of_class, false)) {
      if (!names_a_picture(name)) throw Error(fmt::format("{}/{}: isn't named as a picture, expected .png, .jpg or .jpeg", of_class, name));
      files.paths.push_back((fs::path(of_class) / name).string());
      files.labels.push_back(static_cast<std::int32_t>(c));
    }
    if (files.paths.size() == before) throw Error(of_class + ": has no pictures, expected .png, .jpg or .jpeg");
  }
  return files;
}

// Pictures as a model takes them: decoded when they are asked for, or once where all of them have room.
class Pictures {
 public:
  Pictures(std::vector<std::string> paths, const DatasetPart& part, const ir::Shape& example)
      : paths_(std::move(paths)),
        channels_(example[0]),
        height_(example[1]),
        width_(example[2]),
        shorter_(part.settings.integer("shorter_side")),
        windows_(part.windows),
        keeps_(part.settings.boolean("in_memory")),
        kept_(paths_.size()),
        checksums_(paths_.size()) {}

  // Error naming the file. Once for each, by any thread, before settle().
  void look_at(std::size_t index) {
    DecodedPicture picture = shown(index);
    checksums_[index] = checksum(picture);
    if (picture.height > height_ || picture.width > width_) larger_ = true;
    if (!keeps_) return;
    if (taken_.fetch_add(picture.bytes.size()) + picture.bytes.size() > largest_file()) keeps_ = false;
    kept_[index] = std::move(picture);
  }

  // Before the first read().
  void settle() {
    if (!keeps_) kept_ = {};
  }

  const std::byte* read(std::size_t index, std::byte* room, const Window* window) const {
    if (keeps_ && !windows_) return reinterpret_cast<const std::byte*>(kept_[index].bytes.data());
    DecodedPicture decoded;
    if (!keeps_) {
      decoded = shown(index);
      if (checksum(decoded) != checksums_[index])
        throw Error(paths_[index] + ": holds another picture than when the data were loaded, expected files that stay as they are");
    }
    const DecodedPicture& picture = keeps_ ? kept_[index] : decoded;
    if (windows_) {
      cut_window(picture, window, height_, width_, reinterpret_cast<std::uint8_t*>(room));
    } else {
      std::memcpy(room, picture.bytes.data(), picture.bytes.size());
    }
    return room;
  }

  bool larger() const { return larger_; }
  bool keeps() const { return keeps_; }
  const std::vector<std::uint32_t>& checksums() const { return checksums_; }

 private:
  // All that can be asked for of it: the scaled picture where there are windows, else the example [C, H, W].
  DecodedPicture shown(std::size_t index) const {
    DecodedPicture picture = read_scaled_picture(paths_[index], channels_, shorter_, height_, width_);
    if (windows_) return picture;
    DecodedPicture example{width_, height_, channels_, std::vector<std::uint8_t>(static_cast<std::size_t>(channels_ * height_ * width_))};
    cut_window(picture, nullptr, height_, width_, example.bytes.data());
    return example;
  }

  static std::uint32_t checksum(const DecodedPicture& picture) {
    return static_cast<std::uint32_t>(crc32_z(crc32_z(0, nullptr, 0), picture.bytes.data(), picture.bytes.size()));
  }

  std::vector<std::string> paths_;
  std::int64_t channels_, height_, width_, shorter_;
  bool windows_;
  std::atomic<bool> keeps_, larger_ = false;
  std::atomic<std::size_t> taken_ = 0;
  std::vector<DecodedPicture> kept_;
  std::vector<std::uint32_t> checksums_;  // of what is shown
};

// The numbers of those that can be decoded.
std::vector<std::int64_t> look_at_all(Pictures& pictures, std::size_t count, bool skips_damaged) {
  std::vector<char> damaged(count, 0);
  backends::parallel_for(static_cast<std::int64_t>(count), usable_processors(), [&](std::int64_t i, int) {
    const auto index = static_cast<std::size_t>(i);
    try {
      pictures.look_at(index);
    } catch (const Error&) {
      if (!skips_damaged) throw;
      damaged[index] = 1;
    }
  });
  pictures.settle();
  std::vector<std::int64_t> whole;
  for (std::size_t i = 0; i < count; ++i) {
    if (damaged[i] == 0) whole.push_back(static_cast<std::int64_t>(i));
  }
  return whole;
}

Dataset load_folder(const DatasetPart& part) {
  const std::string& folder = part.files.at("folder").front();
  const ir::Shape example = part.inputs.empty() ? ir::Shape() : part.inputs.front().example;
  if (example.size() != 3 || (example[0] != 1 && example[0] != 3)) {
    throw Error(fmt::format("{}: pictures of a folder have 1 or 3 channels, the model takes {}", folder, ir::to_string(example)));
  }
  const std::int64_t shorter = part.settings.integer("shorter_side");
  const std::int64_t least = std::min(example[1], example[2]);
  if (shorter != 0 && shorter < least) {
    throw Error(fmt::format("{}: 'shorter_side' is {}, expected 0 or at least the {} of the model's input {}", folder, shorter, least,
                            ir::to_string(example)));
  }
  Files files = files_of(folder);
  const std::size_t count = files.paths.size();
  const auto pictures = std::make_shared<Pictures>(std::move(files.paths), part, example);
  const std::vector<std::int64_t> whole = look_at_all(*pictures, count, part.settings.boolean("skip_damaged"));
  if (whole.empty()) throw Error(folder + ": all of its pictures are damaged");

  ExampleSource source;
  source.type = {ir::DType::u8, {static_cast<std::int64_t>(count), example[0], example[1], example[2]}};
  source.read = [pictures](std::int64_t index, std::byte* room, const Window* window) {
    return pictures->read(static_cast<std::size_t>(index), room, window);
  };
  source.larger = pictures->larger();
  source.slow = !pictures->keeps();
  source.checksums = pictures->checksums();
  Dataset dataset(Examples(std::move(source)), Tensor({ir::DType::i32, {static_cast<std::int64_t>(count)}}), folder);
  dataset.classes = files.classes;
  dataset.shorter_side = std::max(shorter, least);
  dataset.skipped = static_cast<std::int64_t>(count - whole.size());
  std::copy(files.labels.begin(), files.labels.end(), dataset.labels.front().as<std::int32_t>());
  return dataset.skipped == 0 ? std::move(dataset) : chosen_examples(dataset, whole);
}

}  // namespace

void folder(DatasetRegistry& registry) {
  registry.add(
      {.name = "folder",
       .summary = "a folder of PNG or JPEG pictures for each class",
       .files = {"folder"},
       .load = load_folder,
       .settings = {{.name = "shorter_side",
                     .doc = "pixels that a picture's shorter side is scaled to before the model's input is cut out of its middle, or "
                            "anywhere (augmentation random_crop); 0: as many as the input has",
                     .fallback = std::int64_t{0},
                     .bounds = ir::within(0, 16384)},
                    {.name = "skip_damaged",
                     .doc = "leave out pictures that can't be decoded, and say how many, instead of ending with the first",
                     .fallback = false},
                    in_memory_setting()}});
}

}  // namespace stair::runtime::datasets

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

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

bool names_a_picture(const std::string& name) {
  std::string extension = fs::path(name).extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg";
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

Dataset load_folder(const DatasetPart& part) {
  const std::string& folder = part.files.at("folder").front();
  if (part.example.size() != 3 || (part.example[0] != 1 && part.example[0] != 3)) {
    throw Error(fmt::format("{}: pictures of a folder have 1 or 3 channels, the model takes {}", folder, ir::to_string(part.example)));
  }
  const std::int64_t channels = part.example[0];
  const std::int64_t height = part.example[1];
  const std::int64_t width = part.example[2];
  const std::int64_t shorter = part.settings.integer("shorter_side");
  if (shorter != 0 && shorter < std::min(height, width)) {
    throw Error(fmt::format("{}: 'shorter_side' is {}, expected 0 or at least the {} of the model's input {}", folder, shorter,
                            std::min(height, width), ir::to_string(part.example)));
  }
  Files files = files_of(folder);
  const auto count = static_cast<std::int64_t>(files.paths.size());
  const std::int64_t bytes = channels * height * width;
  if (static_cast<std::uint64_t>(count) > largest_file() / static_cast<std::uint64_t>(bytes)) {
    throw Error(fmt::format("{}: {} pictures of {} bytes each, expected at most a quarter of the machine's memory", folder, count, bytes));
  }
  Dataset dataset{Tensor({ir::DType::u8, {count, channels, height, width}}), Tensor({ir::DType::i32, {count}}), folder, files.classes};
  const bool skips = part.settings.boolean("skip_damaged");
  std::vector<char> damaged(files.paths.size(), 0);
  backends::parallel_for(count, usable_processors(), [&](std::int64_t i, int) {
    const std::string& path = files.paths[static_cast<std::size_t>(i)];
    try {
      fit_picture(read_picture(path, channels), shorter, height, width, dataset.images.as<std::uint8_t>() + i * bytes);
    } catch (const Error&) {
      if (!skips) throw;
      damaged[static_cast<std::size_t>(i)] = 1;
    }
  });
  std::copy(files.labels.begin(), files.labels.end(), dataset.labels.as<std::int32_t>());
  std::vector<std::int64_t> whole;
  for (std::int64_t i = 0; i < count; ++i) {
    if (damaged[static_cast<std::size_t>(i)] == 0) whole.push_back(i);
  }
  dataset.skipped = count - static_cast<std::int64_t>(whole.size());
  if (whole.empty()) throw Error(folder + ": all of its pictures are damaged");
  if (dataset.skipped == 0) return dataset;
  return chosen_examples(dataset, whole);
}

}  // namespace

void folder(DatasetRegistry& registry) {
  registry.add({.name = "folder",
                .summary = "a folder of PNG or JPEG pictures for each class",
                .files = {"folder"},
                .load = load_folder,
                .settings = {{.name = "shorter_side",
                              .doc = "pixels that a picture's shorter side is scaled to before the model's input is cut out of its middle; "
                                     "0: as many as the input has",
                              .fallback = std::int64_t{0},
                              .bounds = ir::within(0, 16384)},
                             {.name = "skip_damaged",
                              .doc = "leave out pictures that can't be decoded, and say how many, instead of ending with the first",
                              .fallback = false}}});
}

}  // namespace stair::runtime::datasets

#include "runtime/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>

#include "ir/error.h"
#include "runtime/finite.h"

namespace stair::runtime {

void check_files(const std::string& format, const DatasetFiles& files) {
  const DatasetFormat& known = dataset_formats().named(format, "data format");
  for (const auto& [key, paths] : files) {
    if (std::find(known.files.begin(), known.files.end(), key) == known.files.end()) {
      throw Error("data of the format '" + format + "': unknown key '" + key + "'" + did_you_mean(key, known.files) + ", expected " +
                  one_of(known.files));
    }
    if (paths.size() > 1 && !known.many) {
      throw Error(fmt::format("data of the format '{}': '{}' is a list of {} files, expected one", format, key, paths.size()));
    }
  }
  for (const std::string& key : known.files) {
    const auto it = files.find(key);
    if (it == files.end() || it->second.empty()) throw Error("data of the format '" + format + "': '" + key + "' is missing");
  }
}

Dataset load_dataset(const std::string& format, const DatasetFiles& files) {
  check_files(format, files);
  for (const auto& [key, paths] : files) {
    for (const std::string& path : paths) {
      std::error_code ignored;  // what can't be looked at can't be opened either, which says why
      if (std::filesystem::is_fifo(path, ignored)) throw Error(path + ": is a pipe, expected a file: data are read more than once");
    }
  }
  return dataset_formats().named(format, "data format").load(files);
}

void check_images(const Tensor& images, const std::string& path) {
  const std::optional<std::int64_t> element = first_not_finite(images.view());
  if (!element) return;
  const std::int64_t size = images.count() / images.type().shape.front();
  const ir::TensorView image{{images.type().dtype, {size}}, reinterpret_cast<std::byte*>(images.as<float>() + *element / size * size)};
  throw Error(fmt::format("{}: image {}, {}, expected finite numbers", path, *element / size, describe_not_finite(image, *element % size)));
}

void check_labels(const Dataset& dataset, std::int64_t classes) {
  const auto* labels = dataset.labels.as<std::int32_t>();
  for (std::int64_t i = 0; i < dataset.labels.count(); ++i) {
    if (labels[i] < 0 || labels[i] >= classes) {
      throw Error(fmt::format("{}: the label of image {} is {}, expected 0 to {}", dataset.source, i, labels[i], classes - 1));
    }
  }
}

}  // namespace stair::runtime

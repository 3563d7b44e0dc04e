#include "runtime/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
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

Dataset load_dataset(const std::string& format, const DatasetFiles& files, const ir::Attributes& settings, const ir::Shape& example) {
  check_files(format, files);
  for (const auto& [key, paths] : files) {
    for (const std::string& path : paths) {
      std::error_code ignored;  // what can't be looked at can't be opened either, which says why
      if (std::filesystem::is_fifo(path, ignored)) throw Error(path + ": is a pipe, expected a file: data are read more than once");
    }
  }
  const DatasetFormat& known = dataset_formats().named(format, "data format");
  return known.load({files, ir::completed(known.settings, settings, "data of the format '" + format + "': ", "key"), example});
}

Dataset chosen_examples(const Dataset& all, const std::vector<std::int64_t>& numbers) {
  ir::Type images = all.images.type();
  images.shape.front() = static_cast<std::int64_t>(numbers.size());
  ir::Type labels = all.labels.type();
  labels.shape.front() = images.shape.front();
  Dataset chosen{Tensor(images), Tensor(labels), all.source, all.classes, all.skipped};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    copy_row(all.images.view(), numbers[i], chosen.images.view(), static_cast<std::int64_t>(i));
    copy_row(all.labels.view(), numbers[i], chosen.labels.view(), static_cast<std::int64_t>(i));
  }
  return chosen;
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
  const std::int64_t of_image = dataset.labels.count() / dataset.count();
  for (std::int64_t i = 0; i < dataset.labels.count(); ++i) {
    if (labels[i] >= 0 && labels[i] < classes) continue;
    const std::string position = of_image == 1 ? "" : fmt::format(" at its element {}", i % of_image);
    throw Error(
        fmt::format("{}: the label of image {}{} is {}, expected 0 to {}", dataset.source, i / of_image, position, labels[i], classes - 1));
  }
}

void make_values(Dataset& dataset) {
  ir::Shape shape = dataset.labels.type().shape;
  if (shape.size() == 1) shape.push_back(1);
  Tensor values({ir::DType::f32, shape});
  for (std::int64_t i = 0; i < values.count(); ++i) values.as<float>()[i] = static_cast<float>(element(dataset.labels.view(), i));
  dataset.labels = std::move(values);
}

}  // namespace stair::runtime

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

Dataset load_dataset(const std::string& format, const DatasetFiles& files, const ir::Attributes& settings, const ir::Shape& example,
                     bool windows) {
  check_files(format, files);
  for (const auto& [key, paths] : files) {
    for (const std::string& path : paths) {
      std::error_code ignored;  // what can't be looked at can't be opened either, which says why
      if (std::filesystem::is_fifo(path, ignored)) throw Error(path + ": is a pipe, expected a file: data are read more than once");
    }
  }
  const DatasetFormat& known = dataset_formats().named(format, "data format");
  return known.load({files, ir::completed(known.settings, settings, "data of the format '" + format + "': ", "key"), example, windows});
}

Dataset chosen_examples(const Dataset& all, const std::vector<std::int64_t>& numbers) {
  ir::Type labels = all.labels.type();
  labels.shape.front() = static_cast<std::int64_t>(numbers.size());
  Dataset chosen{all.images.chosen(numbers), Tensor(labels), all.source, all.classes, all.skipped, all.shorter_side};
  for (std::size_t i = 0; i < numbers.size(); ++i)
    copy_row(all.labels.view(), numbers[i], chosen.labels.view(), static_cast<std::int64_t>(i));
  return chosen;
}

ir::AttributeSpec in_memory_setting() {
  return {.name = "in_memory",
          .doc =
              "hold the images in memory, decoded, where they are at most a quarter of it; false: read each from its file when it is "
              "needed, as is done where they are more",
          .fallback = true};
}

void check_example_type(const ir::Type& images, const std::string& path) {
  if (images.shape.size() >= 2 && (images.dtype == ir::DType::u8 || images.dtype == ir::DType::f32)) return;
  throw Error(path + ": holds images " + to_string(images) + ", expected u8 or f32 [count, ...]");
}

void check_images(const Examples& images, const std::string& path) {
  if (images.type().dtype != ir::DType::f32 || images.extents().not_finite < 0) return;
  const std::int64_t index = images.extents().not_finite;
  std::vector<std::byte> room(images.bytes());
  auto* const elements = const_cast<std::byte*>(images.read(index, room.data()));
  const ir::TensorView image{{ir::DType::f32, {images.elements()}}, elements};
  const std::optional<std::int64_t> element = first_not_finite(image);
  throw Error(fmt::format("{}: image {}, {}, expected finite numbers", path, index, describe_not_finite(image, element.value_or(0))));
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

#include "runtime/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>

#include "ir/error.h"
#include "runtime/finite.h"

namespace stair::runtime {

namespace {

std::vector<std::string> input_names(const DatasetPart& part) {
  std::vector<std::string> names;
  for (const DatasetInput& input : part.inputs) names.push_back(input.name);
  return names;
}

// "'left', 'right'"
std::string quoted(const std::vector<std::string>& names) {
  return fmt::format("'{}'", fmt::join(names, "', '"));
}

// What a key says by names is of those of the model: `ends` are its inputs or outputs.
void check_names(const DatasetPart& part, const std::string& key, const std::vector<std::string>& names, const char* ends,
                 const std::string& where) {
  for (const auto& [name, said] : part.named.at(key)) {
    if (std::find(names.begin(), names.end(), name) == names.end())
      throw Error(fmt::format("{}'{}' names '{}'{}, expected {} of the model: {}", where, key, name, did_you_mean(name, names), ends,
                              one_of(names)));
  }
}

void check_inputs(const DatasetFormat& format, const DatasetPart& part, const std::string& where) {
  const std::vector<std::string> names = input_names(part);
  const std::string& key = format.by_input;
  if (names.size() > 1 && key.empty()) {
    std::vector<std::string> others;
    for (const auto& [name, other] : dataset_formats().all()) {
      if (!other.by_input.empty()) others.push_back(name);
    }
    throw Error(fmt::format("{}an example is one picture, and the model has the inputs {}, expected the format {}", where, quoted(names),
                            one_of(others)));
  }
  if (!part.named.contains(key)) {
    if (names.size() <= 1) return;
    throw Error(fmt::format("{}'{}' is said once, and the model has the inputs {}, expected an object with a member for each", where, key,
                            quoted(names)));
  }
  check_names(part, key, names, "an input", where);
  for (const std::string& name : names) {
    if (!part.named.at(key).contains(name)) throw Error(fmt::format("{}'{}' says nothing of the model's input '{}'", where, key, name));
  }
}

void check_outputs(const DatasetFormat& format, const DatasetPart& part, const std::string& where) {
  bool named = false;
  for (const std::string& key : format.by_output) {
    if (!part.named.contains(key)) continue;
    named = true;
    check_names(part, key, part.outputs, "an output with a loss", where);
  }
  if (!named) return;
  for (const std::string& output : part.outputs) {
    const auto says = [&](const std::string& key) { return part.named.contains(key) && part.named.at(key).contains(output); };
    const auto count = std::count_if(format.by_output.begin(), format.by_output.end(), says);
    if (count != 1) {
      throw Error(fmt::format("{}the output '{}' has {}, expected {}", where, output, count == 0 ? "no labels" : "labels twice",
                              one_of(format.by_output) + " of each output with a loss"));
    }
  }
}

std::vector<std::vector<std::string>> said(const DatasetPart& part, const std::string& key, const std::vector<std::string>& names) {
  std::vector<std::vector<std::string>> all;
  const auto by_name = part.named.find(key);
  for (std::size_t i = 0; i < std::max<std::size_t>(names.size(), 1); ++i) {
    std::vector<std::string>& of = all.emplace_back();
    if (by_name != part.named.end()) {
      const auto its = by_name->second.find(names.empty() ? "" : names[i]);
      if (its != by_name->second.end()) of = its->second;
    } else if (part.files.contains(key)) {
      of = part.files.at(key);
    } else if (const auto* text = std::get_if<std::string>(&part.settings.at(key))) {
      of = {*text};
    } else {
      of = part.settings.texts(key);
    }
  }
  return all;
}

}  // namespace

Dataset::Dataset(Examples examples, Tensor its_labels, std::string file) : input_files{file}, label_files{file}, source(std::move(file)) {
  inputs.push_back(std::move(examples));
  labels.push_back(std::move(its_labels));
}

std::vector<ExampleForm> Dataset::forms() const {
  std::vector<ExampleForm> all;
  for (const Examples& examples : inputs) all.push_back({std::string(name_of(examples.type().dtype)), shorter_side});
  return all;
}

void check_part(const std::string& format, const DatasetPart& part) {
  const DatasetFormat& known = dataset_formats().named(format, "data format");
  const std::string where = "data of the format '" + format + "': ";
  for (const auto& [key, paths] : part.files) {
    if (std::find(known.files.begin(), known.files.end(), key) == known.files.end())
      throw Error(where + "unknown key '" + key + "'" + did_you_mean(key, known.files) + ", expected " + one_of(known.files));
    if (paths.size() > 1 && !known.many) throw Error(fmt::format("{}'{}' is a list of {} files, expected one", where, key, paths.size()));
  }
  for (const std::string& key : known.files) {
    const auto it = part.files.find(key);
    const bool given = part.named.contains(key) || (it != part.files.end() && !it->second.empty());
    if (!given) throw Error(where + "'" + key + "' is missing");
  }
  if (known.files.empty()) return;  // says nothing of inputs
  check_inputs(known, part, where);
  check_outputs(known, part, where);
}

Dataset load_dataset(const std::string& format, DatasetPart part) {
  check_part(format, part);
  const auto check_file = [](const std::string& path) {
    std::error_code ignored;  // what can't be looked at can't be opened either, which says why
    if (std::filesystem::is_fifo(path, ignored)) throw Error(path + ": is a pipe, expected a file: data are read more than once");
  };
  const DatasetFormat& known = dataset_formats().named(format, "data format");
  for (const std::string& key : known.files) {
    for (const auto& [name, paths] : part.named.contains(key) ? part.named.at(key) : DatasetFiles{{"", part.files.at(key)}}) {
      for (const std::string& path : paths) check_file(path);
    }
  }
  const std::string where = "data of the format '" + format + "': ";
  std::vector<ir::AttributeSpec> settings = known.settings;
  std::erase_if(settings, [&](const ir::AttributeSpec& setting) { return part.named.contains(setting.name); });
  part.settings = ir::completed(settings, part.settings, where, "key");
  // Labels that are said once hold for all outputs.
  const bool by_output =
      std::any_of(known.by_output.begin(), known.by_output.end(), [&](const std::string& key) { return part.named.contains(key); });
  const std::size_t outputs = part.outputs.size();
  if (!by_output) part.outputs.clear();
  Dataset dataset = known.load(part);
  while (dataset.labels.size() < outputs) {
    dataset.labels.push_back(dataset.labels.front().clone());
    dataset.label_files.push_back(dataset.label_files.front());
  }
  return dataset;
}

std::int64_t rows_of_input(const DatasetPart& part, std::size_t input) {
  return input < part.inputs.size() ? part.inputs[input].rows : 0;
}

std::vector<std::vector<std::string>> said_by_input(const DatasetPart& part, const std::string& key) {
  return said(part, key, input_names(part));
}

std::vector<std::vector<std::string>> said_by_output(const DatasetPart& part, const std::string& key) {
  return said(part, key, part.outputs);
}

Dataset chosen_examples(const Dataset& all, const std::vector<std::int64_t>& numbers) {
  Dataset chosen;
  for (const Examples& examples : all.inputs) chosen.inputs.push_back(examples.chosen(numbers));
  for (const Tensor& labels : all.labels) {
    ir::Type type = labels.type();
    type.shape.front() = static_cast<std::int64_t>(numbers.size());
    const Tensor& some = chosen.labels.emplace_back(type);
    for (std::size_t i = 0; i < numbers.size(); ++i) copy_row(labels.view(), numbers[i], some.view(), static_cast<std::int64_t>(i));
  }
  chosen.input_files = all.input_files;
  chosen.label_files = all.label_files;
  chosen.source = all.source;
  chosen.classes = all.classes;
  chosen.skipped = all.skipped;
  chosen.shorter_side = all.shorter_side;
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

void check_index(std::int64_t index, std::int64_t rows, std::int64_t element, std::int64_t of_image, const std::string& path) {
  if (index >= 0 && index < rows) return;
  const std::string position = of_image == 1 ? "" : fmt::format(" at its element {}", element % of_image);
  throw Error(fmt::format("{}: the index of image {}{} is {}, expected 0 to {}, a row of the embedding", path, element / of_image, position,
                          index, rows - 1));
}

Tensor as_indices(const Tensor& read, std::int64_t rows, const std::string& path) {
  const ir::Shape& shape = read.type().shape;
  if (shape.size() < 2 || ir::is_float(read.type().dtype))
    throw Error(path + ": holds " + to_string(read.type()) + ", expected indices: integers [count, ...]");
  Tensor indices({ir::DType::i32, shape});
  const std::int64_t of_image = indices.count() / shape.front();
  ir::with_element_type(read.type().dtype, [&]<class T>(T) {
    for (std::int64_t i = 0; i < indices.count(); ++i) {
      const auto index = static_cast<std::int64_t>(read.as<T>()[i]);
      check_index(index, rows, i, of_image, path);
      indices.as<std::int32_t>()[i] = static_cast<std::int32_t>(index);
    }
  });
  return indices;
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

void check_labels(const Tensor& labels, std::int64_t classes, const std::string& file) {
  const auto* values = labels.as<std::int32_t>();
  const std::int64_t of_image = labels.count() / labels.type().shape.front();
  for (std::int64_t i = 0; i < labels.count(); ++i) {
    if (values[i] >= 0 && values[i] < classes) continue;
    const std::string position = of_image == 1 ? "" : fmt::format(" at its element {}", i % of_image);
    throw Error(fmt::format("{}: the label of image {}{} is {}, expected 0 to {}", file, i / of_image, position, values[i], classes - 1));
  }
}

Tensor as_values(const Tensor& labels) {
  ir::Shape shape = labels.type().shape;
  if (shape.size() == 1) shape.push_back(1);
  Tensor values({ir::DType::f32, shape});
  for (std::int64_t i = 0; i < values.count(); ++i) values.as<float>()[i] = static_cast<float>(element(labels.view(), i));
  return values;
}

}  // namespace stair::runtime

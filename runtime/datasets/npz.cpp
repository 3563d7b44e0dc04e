#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "ir/error.h"
#include "runtime/arrays.h"
#include "runtime/dataset.h"
#include "runtime/npy.h"
#include "runtime/zip.h"

// Several NumPy arrays in one file (numpy.savez): examples, their labels and, where only some of them are meant, an array that says which.

namespace stair::runtime::datasets {
namespace {

Tensor array_of(const ZipArchive& archive, const std::string& path, const std::string& key, const std::string& name) {
  std::vector<std::string> names;
  for (const auto& [file, entry] : archive.entries()) names.push_back(file.ends_with(".npy") ? file.substr(0, file.size() - 4) : file);
  if (!archive.entries().contains(name + ".npy"))
    throw Error(fmt::format("{}: has no array '{}' ('{}'){}, expected {}", path, name, key, did_you_mean(name, names), one_of(names)));
  return npy_from(archive.read(name + ".npy"), fmt::format("{}: '{}'", path, name));
}

Dataset selected(const Dataset& all, const Tensor& by, const std::string& name, const std::vector<std::int64_t>& values) {
  if (ir::is_float(by.type().dtype) || by.type().shape.size() != 1 || by.count() != all.count())
    throw Error(fmt::format("{}: is {}, expected an integer for each of the {} examples", name, to_string(by.type()), all.count()));
  std::vector<std::int64_t> kept;
  for (std::int64_t i = 0; i < all.count(); ++i) {
    const auto value = ir::with_element_type(by.type().dtype, [&]<class T>(T) { return static_cast<std::int64_t>(by.as<T>()[i]); });
    if (std::find(values.begin(), values.end(), value) != values.end()) kept.push_back(i);
  }
  if (kept.empty()) throw Error(fmt::format("{}: no example has one of the values {}", name, fmt::join(values, ", ")));
  return chosen_examples(all, kept);
}

Dataset load_npz(const DatasetPart& part) {
  const std::string& path = part.files.at("arrays").front();
  const ZipArchive archive(path);
  const auto called = [&](const std::string& name) { return fmt::format("{}: '{}'", path, name); };
  std::vector<Named<Examples>> images;  // whose faults are told first
  const std::vector<std::vector<std::string>> names = said_by_input(part, "images");
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string& name = names[i].front();
    images.push_back({as_examples(array_of(archive, path, "images", name), rows_of_input(part, i), called(name)), called(name)});
  }
  std::vector<Named<Tensor>> labels;
  for (const std::vector<std::string>& name : said_by_output(part, "labels"))
    labels.push_back({array_of(archive, path, "labels", name.front()), called(name.front())});
  Dataset all = dataset_of_arrays(std::move(images), labels);
  const std::string& select = part.settings.text("select");
  const std::vector<std::int64_t>& equals = part.settings.integers("equals");
  if (select.empty() != equals.empty()) {
    throw Error(fmt::format("{}: 'select' without 'equals', or the other way round, expected both: an array and its values", path));
  }
  if (select.empty()) return all;
  return selected(all, array_of(archive, path, "select", select), called(select), equals);
}

}  // namespace

void npz(DatasetRegistry& registry) {
  registry.add(
      {.name = "npz",
       .summary = "NumPy arrays in one file (numpy.savez), compressed or not",
       .files = {"arrays"},
       .load = load_npz,
       .settings = {{.name = "images", .doc = "the array of examples, u8 or f32 [N, ...]", .fallback = std::string(), .required = true},
                    {.name = "labels",
                     .doc = "the array of labels [N, ...], classes of an integer type or values",
                     .fallback = std::string(),
                     .required = true},
                    {.name = "select",
                     .doc = "an array of integers [N] that says which examples are meant: those with one of the values 'equals'; \"\": all",
                     .fallback = std::string()},
                    {.name = "equals", .doc = "see select", .fallback = std::vector<std::int64_t>()}},
       .by_input = "images",
       .by_output = {"labels"}});
}

}  // namespace stair::runtime::datasets

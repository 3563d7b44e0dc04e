#include "runtime/dataset.h"

#include <fmt/format.h>

#include <algorithm>

#include "ir/error.h"

namespace stair::runtime {

namespace datasets {
void register_all(DatasetRegistry& registry);  // generated from the files of runtime/datasets
}

const std::vector<DatasetFormat>& dataset_formats() {
  static const DatasetRegistry registry = [] {
    DatasetRegistry all;
    datasets::register_all(all);
    return all;
  }();
  return registry.all();
}

const std::string& only_file(const DatasetFiles& files, const std::string& key) {
  const std::vector<std::string>& paths = files.at(key);
  if (paths.size() != 1) throw Error(fmt::format("{}: one of {} files of '{}', expected one file", paths[1], paths.size(), key));
  return paths.front();
}

Dataset load_dataset(const std::string& format, const DatasetFiles& files) {
  std::vector<std::string> names;
  for (const DatasetFormat& known : dataset_formats()) {
    names.push_back(known.name);
    if (known.name != format) continue;
    for (const auto& [key, paths] : files) {
      if (std::find(known.files.begin(), known.files.end(), key) == known.files.end()) {
        throw Error("data of the format '" + format + "': unknown key '" + key + "'" + did_you_mean(key, known.files) + ", expected " +
                    one_of(known.files));
      }
    }
    for (const std::string& key : known.files) {
      const auto it = files.find(key);
      if (it == files.end() || it->second.empty()) throw Error("data of the format '" + format + "': '" + key + "' is missing");
    }
    return known.load(files);
  }
  throw Error("unknown data format '" + format + "'" + did_you_mean(format, names) + ", expected " + one_of(names));
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

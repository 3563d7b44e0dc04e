#include "runtime/npy.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "ir/error.h"
#include "runtime/arrays.h"
#include "runtime/dataset.h"
#include "runtime/file.h"

// NumPy arrays: images u8 or f32 [N, ...], labels [N, ...], classes of any integer type or values.

namespace stair::runtime::datasets {
namespace {

// Those that are too large to be held stay in their file, as do those that the user doesn't want in memory.
Examples read_examples(const std::string& path, std::int64_t rows, bool in_memory) {
  std::error_code ignored;  // what can't be looked at can't be opened either, which says why
  const std::uintmax_t size = std::filesystem::is_regular_file(path, ignored) ? std::filesystem::file_size(path, ignored) : 0;
  if (in_memory && size <= largest_file()) return as_examples(read_npy(path), rows, path);
  char begin[2] = {};
  const OpenFile file(path);
  if (file.size() >= sizeof begin) file.read(0, reinterpret_cast<std::byte*>(begin), sizeof begin);
  if (begin[0] == '\x1f' && begin[1] == '\x8b') {
    if (in_memory) fail_as_too_large(path);
    throw Error(path + ": is gzipped, expected a file that isn't where 'in_memory' is false");
  }
  return examples_in_npy(path, rows);
}

Dataset load_npy(const DatasetPart& part) {
  std::vector<Named<Examples>> images;  // whose faults are told first
  const std::vector<std::vector<std::string>> paths = said_by_input(part, "images");
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const std::string& path = paths[i].front();
    images.push_back({read_examples(path, rows_of_input(part, i), part.settings.boolean("in_memory")), path});
  }
  std::vector<Named<Tensor>> labels;
  for (const std::vector<std::string>& path : said_by_output(part, "labels")) labels.push_back({read_npy(path.front()), path.front()});
  return dataset_of_arrays(std::move(images), labels);
}

}  // namespace

void npy(DatasetRegistry& registry) {
  registry.add({.name = "npy",
                .summary = "NumPy arrays: images u8 or f32 [N, ...], labels [N, ...], classes of an integer type or values",
                .files = {"images", "labels"},
                .load = load_npy,
                .settings = {in_memory_setting()},
                .by_input = "images",
                .by_output = {"labels"}});
}

}  // namespace stair::runtime::datasets

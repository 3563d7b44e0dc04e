#include <fmt/format.h>

#include <cstring>

#include "ir/error.h"
#include "runtime/dataset.h"
#include "runtime/gzip.h"

// The binary version of CIFAR-10: records of a label byte and 3 x 32 x 32 bytes, red, green, blue.

namespace stair::runtime::datasets {
namespace {

constexpr std::size_t picture = 3 * 32 * 32;
constexpr std::size_t record = 1 + picture;

Dataset load_cifar10(const DatasetFiles& files) {
  std::string all;
  for (const std::string& path : files.at("batches")) {
    const std::string bytes = read_maybe_gzipped(path);
    if (bytes.empty() || bytes.size() % record != 0) {
      throw Error(fmt::format("{}: has {} bytes, expected records of {} bytes (byte {} begins one that isn't whole)", path, bytes.size(),
                              record, bytes.size() / record * record));
    }
    for (std::size_t i = 0; i < bytes.size(); i += record) {
      if (static_cast<unsigned char>(bytes[i]) > 9) {
        throw Error(fmt::format("{}: the label of image {} is {} (byte {}), expected 0 to 9", path, i / record,
                                static_cast<unsigned char>(bytes[i]), i));
      }
    }
    all += bytes;
  }
  const auto count = static_cast<std::int64_t>(all.size() / record);
  Dataset dataset{Tensor({ir::DType::u8, {count, 3, 32, 32}}), Tensor({ir::DType::i32, {count}}), files.at("batches").front()};
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    dataset.labels.as<std::int32_t>()[i] = static_cast<unsigned char>(all[i * record]);
    std::memcpy(dataset.images.as<char>() + i * picture, all.data() + i * record + 1, picture);
  }
  return dataset;
}

}  // namespace

void cifar10(DatasetRegistry& registry) {
  registry.add({"cifar10", "CIFAR-10 in its binary version, gzipped or not", {"batches"}, true, load_cifar10});
}

}  // namespace stair::runtime::datasets

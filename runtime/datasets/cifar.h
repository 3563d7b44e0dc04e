#pragma once

#include <fmt/format.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "ir/error.h"
#include "runtime/dataset.h"
#include "runtime/gzip.h"

namespace stair::runtime::datasets {

/// The binary versions of CIFAR-10 and CIFAR-100: records of one or two label bytes and 3 x 32 x 32 bytes, red, green, blue. Of the labels
/// the one at byte `label` counts, which is below `classes`. Error naming file and byte.
inline Dataset load_cifar(const std::vector<std::string>& paths, std::size_t label_bytes, std::size_t label, unsigned classes) {
  constexpr std::size_t picture = 3 * 32 * 32;
  const std::size_t record = label_bytes + picture;
  std::string all;
  for (const std::string& path : paths) {
    const std::string bytes = read_maybe_gzipped(path);
    if (bytes.empty() || bytes.size() % record != 0) {
      throw Error(fmt::format("{}: has {} bytes, expected records of {} bytes (byte {} begins one that isn't whole)", path, bytes.size(),
                              record, bytes.size() / record * record));
    }
    for (std::size_t i = label; i < bytes.size(); i += record) {
      if (static_cast<unsigned char>(bytes[i]) < classes) continue;
      throw Error(fmt::format("{}: the label of image {} is {} (byte {}), expected 0 to {}", path, i / record,
                              static_cast<unsigned char>(bytes[i]), i, classes - 1));
    }
    all += bytes;
  }
  const auto count = static_cast<std::int64_t>(all.size() / record);
  Tensor pictures({ir::DType::u8, {count, 3, 32, 32}});
  Tensor labels({ir::DType::i32, {count}});
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    labels.as<std::int32_t>()[i] = static_cast<unsigned char>(all[i * record + label]);
    std::memcpy(pictures.as<char>() + i * picture, all.data() + i * record + label_bytes, picture);
  }
  return {std::move(pictures), std::move(labels), paths.front()};
}

}  // namespace stair::runtime::datasets

#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "ir/error.h"
#include "runtime/dataset.h"
#include "runtime/gzip.h"

// IDX, the format of MNIST and its kin: two zero bytes, the element type (8: unsigned byte), the rank, the dimensions (32 bits,
// big-endian), and the elements.

namespace stair::runtime::datasets {
namespace {

struct Idx {
  ir::Shape shape;
  std::size_t begin = 0;    // of the elements
  std::uint64_t count = 1;  // of them
  std::string elements;
};

Idx idx_header(const std::string& bytes, const std::string& path, std::size_t least_rank, const char* what) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (bytes.size() < 4 || byte(0) != 0 || byte(1) != 0) throw Error(path + ": is no IDX file: expected two zero bytes at byte 0");
  if (byte(2) != 8)
    throw Error(fmt::format("{}: has elements of IDX type 0x{:02x} (byte 2), expected 0x08, unsigned bytes", path, byte(2)));
  const std::size_t rank = byte(3);
  if (rank < least_rank || rank > highest_rank) throw Error(fmt::format("{}: has {} dimensions (byte 3), expected {}", path, rank, what));
  Idx idx;
  idx.begin = 4 + 4 * rank;
  if (bytes.size() < idx.begin)
    throw Error(fmt::format("{}: is truncated: its header needs {} bytes, found {}", path, idx.begin, bytes.size()));
  for (std::size_t d = 0; d < rank; ++d) {
    const std::size_t at = 4 + 4 * d;
    const std::uint64_t dim =
        std::uint64_t{byte(at)} << 24 | std::uint64_t{byte(at + 1)} << 16 | std::uint64_t{byte(at + 2)} << 8 | byte(at + 3);
    if (dim == 0 || dim > (1ULL << 40) / idx.count) throw Error(fmt::format("{}: dimension {} is {} (byte {})", path, d, dim, at));
    idx.count *= dim;
    idx.shape.push_back(static_cast<std::int64_t>(dim));
  }
  return idx;
}

Idx read_idx(const std::string& path, std::size_t least_rank, const char* what) {
  const std::string bytes = read_maybe_gzipped(path, [&](const std::string& begin) {
    const Idx announced = idx_header(begin, path, least_rank, what);
    return announced.begin + announced.count;
  });
  Idx idx = idx_header(bytes, path, least_rank, what);
  if (bytes.size() != idx.begin + idx.count) {
    throw Error(fmt::format("{}: has {} bytes of elements, its header {} says {}", path, bytes.size() - idx.begin, ir::to_string(idx.shape),
                            idx.count));
  }
  idx.elements = bytes.substr(idx.begin);
  return idx;
}

Dataset load_idx(const DatasetPart& part) {
  const std::string& images_path = part.files.at("images").front();
  const std::string& labels_path = part.files.at("labels").front();
  const Idx images = read_idx(images_path, 3, "[count, height, width] or more");
  const Idx labels = read_idx(labels_path, 1, "[count]");
  if (labels.shape.size() != 1) {
    throw Error(labels_path + ": has elements " + ir::to_string(labels.shape) +
                ", expected labels [count]; are images and labels swapped?");
  }
  if (labels.shape[0] != images.shape[0]) {
    throw Error(fmt::format("{} has {} labels, but {} has {} images", labels_path, labels.shape[0], images_path, images.shape[0]));
  }
  ir::Shape shape = images.shape;
  if (shape.size() == 3) shape.insert(shape.begin() + 1, 1);  // grey pictures have one channel
  Tensor pictures({ir::DType::u8, shape});
  std::memcpy(pictures.view().data, images.elements.data(), images.elements.size());
  Dataset dataset(std::move(pictures), Tensor({ir::DType::i32, labels.shape}), labels_path);
  dataset.input_files = {images_path};
  for (std::size_t i = 0; i < labels.elements.size(); ++i)
    dataset.labels.front().as<std::int32_t>()[i] = static_cast<unsigned char>(labels.elements[i]);
  return dataset;
}

}  // namespace

void idx(DatasetRegistry& registry) {
  registry.add({"idx", "IDX files of unsigned bytes (MNIST, Fashion-MNIST), gzipped or not", {"images", "labels"}, false, load_idx});
}

}  // namespace stair::runtime::datasets

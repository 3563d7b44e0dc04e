#include "runtime/shard_reduction.h"

#include <algorithm>
#include <cstring>

#include "ir/error.h"

namespace stair::runtime {
namespace {

template <class T>
void fold_elements(ir::Reduction how, const T* from, T* into, std::size_t count) {
  switch (how) {
    case ir::Reduction::mean:
    case ir::Reduction::sum:
      for (std::size_t i = 0; i < count; ++i) into[i] += from[i];
      return;
    case ir::Reduction::min:
      for (std::size_t i = 0; i < count; ++i) into[i] = std::min(into[i], from[i]);
      return;
    case ir::Reduction::max:
      for (std::size_t i = 0; i < count; ++i) into[i] = std::max(into[i], from[i]);
      return;
    case ir::Reduction::none:
      return;
  }
}

template <class Action>
void with_elements(ir::DType dtype, const Action& action) {
  switch (dtype) {
    case ir::DType::f32:
      return action(float{});
    case ir::DType::f64:
      return action(double{});
    case ir::DType::i32:
      return action(std::int32_t{});
    case ir::DType::i64:
      return action(std::int64_t{});
    default:
      throw InternalError("shards reduce no values of the type " + std::string(name_of(dtype)));
  }
}

}  // namespace

ShardReduction::ShardReduction(const ir::Graph& shard_graph, std::int64_t shards, Communicator& communicator)
    : shards_(shards), communicator_(communicator) {
  std::size_t bytes = 0;
  for (const ir::Output& output : shard_graph.outputs()) {
    const std::size_t colon = output.name.find(':');
    if (colon == std::string::npos) continue;
    const ir::Type& type = shard_graph.type(output.value);
    entries_.push_back({output.name, ir::reduction_named(output.name.substr(0, colon)), type, bytes});
    bytes += (ir::byte_count(type) + 7) / 8 * 8;
  }
  const auto processes = static_cast<std::size_t>(communicator.size());
  piece_bytes_ = (bytes + 8 * processes - 1) / (8 * processes) * 8;
  values_ = Buffer(piece_bytes_ * processes);
  piece_ = Buffer(piece_bytes_);
  if (processes > 1) taken_ = Buffer(piece_bytes_ * processes);
}

void ShardReduction::add(const Executor& shard) {
  for (const Entry& entry : entries_)
    std::memcpy(values_.data() + entry.offset, shard.output(entry.output).data, ir::byte_count(entry.type));
  if (communicator_.size() == 1) return fold(values_.data());
  communicator_.exchange(values_.data(), taken_.data(), piece_bytes_);
  for (int rank = 0; rank < communicator_.size(); ++rank) fold(taken_.data() + static_cast<std::size_t>(rank) * piece_bytes_);
}

// What of the entries lies in this process's piece: action(entry, first byte within the piece, bytes). It begins and ends between elements,
// since pieces and entries begin at multiples of 8.
template <class Action>
void ShardReduction::each_in_piece(const Action& action) const {
  const std::size_t begin = static_cast<std::size_t>(communicator_.rank()) * piece_bytes_;
  for (const Entry& entry : entries_) {
    const std::size_t first = std::max(entry.offset, begin);
    const std::size_t last = std::min(entry.offset + ir::byte_count(entry.type), begin + piece_bytes_);
    if (first < last) action(entry, first - begin, last - first);
  }
}

void ShardReduction::fold(const std::byte* piece) {
  if (added_++ == 0) {
    std::memcpy(piece_.data(), piece, piece_bytes_);
    return;
  }
  each_in_piece([&](const Entry& entry, std::size_t first, std::size_t bytes) {
    with_elements(entry.type.dtype, [&]<class T>(T) {
      fold_elements(entry.how, reinterpret_cast<const T*>(piece + first), reinterpret_cast<T*>(piece_.data() + first), bytes / sizeof(T));
    });
  });
}

std::vector<ir::TensorView> ShardReduction::finish() {
  if (added_ != shards_) throw InternalError("a step of " + std::to_string(shards_) + " shards reduced " + std::to_string(added_));
  added_ = 0;
  each_in_piece([&](const Entry& entry, std::size_t first, std::size_t bytes) {
    if (entry.how != ir::Reduction::mean) return;
    with_elements(entry.type.dtype, [&]<class T>(T) {
      T* const sums = reinterpret_cast<T*>(piece_.data() + first);
      for (std::size_t i = 0; i < bytes / sizeof(T); ++i) sums[i] /= static_cast<T>(shards_);
    });
  });
  communicator_.gather(piece_.data(), values_.data(), piece_bytes_);
  std::vector<ir::TensorView> views;
  for (const Entry& entry : entries_) views.push_back({entry.type, values_.data() + entry.offset});
  return views;
}

}  // namespace stair::runtime

#include "runtime/shard_reduction.h"

#include <algorithm>
#include <cstring>

#include "backends/parallel_for.h"
#include "ir/error.h"

namespace stair::runtime {
namespace {

// Each element on its own, so that threads change no bit. The last shard divides a mean.
template <class T>
void fold_elements(ir::Reduction how, const T* from, T* into, std::int64_t count, T divisor, int threads) {
  const auto each = [&](const auto& reduced) {
    constexpr std::int64_t piece = 16384;
    backends::parallel_for((count + piece - 1) / piece, threads, [&](std::int64_t part, int) {
      const std::int64_t last = std::min(count, (part + 1) * piece);
      for (std::int64_t i = part * piece; i < last; ++i) into[i] = reduced(into[i], from[i]);
    });
  };
  switch (how) {
    case ir::Reduction::mean:
      if (divisor == T{1}) return each([](T a, T b) { return static_cast<T>(a + b); });
      return each([divisor](T a, T b) { return static_cast<T>((a + b) / divisor); });
    case ir::Reduction::sum:
      return each([](T a, T b) { return static_cast<T>(a + b); });
    case ir::Reduction::min:
      return each([](T a, T b) { return std::min(a, b); });
    case ir::Reduction::max:
      return each([](T a, T b) { return std::max(a, b); });
    case ir::Reduction::none:
      return;
  }
}

}  // namespace

ShardReduction::ShardReduction(const ir::Graph& shard_graph, std::int64_t shards, Communicator& communicator, int threads)
    : shards_(shards), communicator_(communicator), threads_(threads) {
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
  piece_ = Buffer(piece_bytes_);
  if (processes == 1) return;
  values_ = Buffer(piece_bytes_ * processes);
  taken_ = Buffer(piece_bytes_ * processes);
}

void ShardReduction::add(const Executor& shard) {
  if (communicator_.size() == 1) {
    for (const Entry& entry : entries_) {
      const auto* values = static_cast<const std::byte*>(shard.output(entry.output).data);
      fold(entry, values, entry.offset, ir::byte_count(entry.type));
    }
    ++added_;
    return;
  }
  for (const Entry& entry : entries_)
    std::memcpy(values_.data() + entry.offset, shard.output(entry.output).data, ir::byte_count(entry.type));
  communicator_.exchange(values_.data(), taken_.data(), piece_bytes_);
  // What of an entry lies in this process's piece begins and ends between elements: pieces and entries begin at multiples of 8.
  const std::size_t begin = static_cast<std::size_t>(communicator_.rank()) * piece_bytes_;
  for (int rank = 0; rank < communicator_.size(); ++rank, ++added_) {
    const std::byte* const piece = taken_.data() + static_cast<std::size_t>(rank) * piece_bytes_;
    for (const Entry& entry : entries_) {
      const std::size_t first = std::max(entry.offset, begin);
      const std::size_t last = std::min(entry.offset + ir::byte_count(entry.type), begin + piece_bytes_);
      if (first < last) fold(entry, piece + (first - begin), first - begin, last - first);
    }
  }
}

void ShardReduction::fold(const Entry& entry, const std::byte* from, std::size_t at, std::size_t bytes) {
  if (added_ == 0) {
    std::memcpy(piece_.data() + at, from, bytes);
    return;
  }
  ir::with_element_type(entry.type.dtype, [&]<class T>(T) {
    if (sizeof(T) == 1) throw InternalError("shards reduce no values of the type " + std::string(name_of(entry.type.dtype)));
    const auto divisor = static_cast<T>(added_ + 1 == shards_ ? shards_ : 1);
    fold_elements(entry.how, reinterpret_cast<const T*>(from), reinterpret_cast<T*>(piece_.data() + at),
                  static_cast<std::int64_t>(bytes / sizeof(T)), divisor, threads_);
  });
}

std::vector<ir::TensorView> ShardReduction::finish() {
  if (added_ != shards_) throw InternalError("a step of " + std::to_string(shards_) + " shards reduced " + std::to_string(added_));
  added_ = 0;
  const bool alone = communicator_.size() == 1;
  if (!alone) communicator_.gather(piece_.data(), values_.data(), piece_bytes_);
  std::vector<ir::TensorView> views;
  for (const Entry& entry : entries_) views.push_back({entry.type, (alone ? piece_ : values_).data() + entry.offset});
  return views;
}

}  // namespace stair::runtime

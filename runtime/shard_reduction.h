#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "ir/op.h"
#include "runtime/communicator.h"
#include "runtime/executor.h"

namespace stair::runtime {

/// Makes one set of values of those that the shards of a step compute: the outputs HOW:NAME of a shard's graph (pass cut_step). Process r
/// of P runs the shards r, P + r, 2P + r, …, so that each round of P shards is complete before the next. A mean is the sum in the order of
/// shards, one float addition each, divided by their number: the bits don't depend on P.
///
/// The values lie one behind another and are cut into P pieces. In each round every process gets its piece of the P shards and adds them;
/// at the end all get all pieces. So each process adds a P-th of the values, and sends and receives no more than in any other reduction.
class ShardReduction {
 public:
  /// `shards` is a multiple of the number of processes.
  ShardReduction(const ir::Graph& shard_graph, std::int64_t shards, Communicator& communicator, int threads);

  /// Takes what this process's shard of the next round has computed. Collective.
  void add(const Executor& shard);
  /// Behind the last round: the reduced values, in the order of the graph's outputs, until the next add(). Collective.
  std::vector<ir::TensorView> finish();

 private:
  struct Entry {
    std::string output;
    ir::Reduction how;
    ir::Type type;
    std::size_t offset;  // in bytes, a multiple of 8
  };

  // Of this process's piece, the bytes from `at` on, which belong to the entry.
  void fold(const Entry& entry, const std::byte* from, std::size_t at, std::size_t bytes);

  std::vector<Entry> entries_;
  std::int64_t shards_, added_ = 0;
  Communicator& communicator_;
  int threads_;
  std::size_t piece_bytes_;
  Buffer piece_;   // of the reduced values; all of them where there is one process
  Buffer values_;  // size() pieces: of this process's shard, at the end the reduced ones
  Buffer taken_;   // this process's piece of each process's shard
};

}  // namespace stair::runtime

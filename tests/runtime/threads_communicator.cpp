#include "tests/runtime/threads_communicator.h"

#include <barrier>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace stair::tests {
namespace {

// What everybody has said, read by all between two barriers.
struct Board {
  explicit Board(int size) : arrive(size), said(static_cast<std::size_t>(size)) {}
  std::barrier<> arrive;
  std::vector<std::string> said;
};

class Threads : public runtime::Communicator {
 public:
  Threads(Board& board, int rank) : board_(board), rank_(rank) {}
  int rank() const override { return rank_; }
  int size() const override { return static_cast<int>(board_.said.size()); }

  std::int64_t sum(std::int64_t value) override {
    std::int64_t total = 0;
    for (const std::string& said : say(std::to_string(value))) total += std::stoll(said);
    return total;
  }
  std::int64_t max(std::int64_t value) override {
    std::int64_t most = value;
    for (const std::string& said : say(std::to_string(value))) most = std::max<std::int64_t>(most, std::stoll(said));
    return most;
  }
  void broadcast(std::string& bytes, int root) override { bytes = say(bytes)[static_cast<std::size_t>(root)]; }
  void exchange(const std::byte* own, std::byte* taken, std::size_t piece_bytes) override {
    for (const std::string& said : say(text(own, piece_bytes * board_.said.size()))) {
      std::memcpy(taken, said.data() + static_cast<std::size_t>(rank_) * piece_bytes, piece_bytes);
      taken += piece_bytes;
    }
  }
  void gather(const std::byte* piece, std::byte* all, std::size_t piece_bytes) override {
    for (const std::string& said : say(text(piece, piece_bytes))) {
      std::memcpy(all, said.data(), piece_bytes);
      all += piece_bytes;
    }
  }
  void abort(int) override { std::terminate(); }

 private:
  static std::string text(const std::byte* bytes, std::size_t count) { return {reinterpret_cast<const char*>(bytes), count}; }

  std::vector<std::string> say(std::string mine) {
    board_.said[static_cast<std::size_t>(rank_)] = std::move(mine);
    board_.arrive.arrive_and_wait();
    std::vector<std::string> all = board_.said;
    board_.arrive.arrive_and_wait();
    return all;
  }

  Board& board_;
  int rank_;
};

}  // namespace

void with_processes(int size, const std::function<void(runtime::Communicator&)>& process) {
  Board board(size);
  std::vector<std::thread> threads;
  for (int rank = 0; rank < size; ++rank) {
    threads.emplace_back([&board, &process, rank] {
      Threads communicator(board, rank);
      process(communicator);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace stair::tests

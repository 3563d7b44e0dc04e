#include <mpi.h>

#include <climits>
#include <cstdlib>
#include <string>

#include "runtime/communicator.h"

// All that the project knows of MPI. Errors of MPI itself, such as a process that is gone, end the job (MPI_ERRORS_ARE_FATAL, the default).

namespace stair::runtime {
namespace {

class Mpi : public Communicator {
 public:
  Mpi() {
    int provided = 0;
    MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided);
    if (provided < MPI_THREAD_FUNNELED) throw Error("this MPI doesn't let processes have threads, expected MPI_THREAD_FUNNELED");
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &size_);
  }
  ~Mpi() override { MPI_Finalize(); }
  Mpi(const Mpi&) = delete;
  Mpi& operator=(const Mpi&) = delete;

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  std::int64_t sum(std::int64_t value) override { return reduce(value, MPI_SUM); }
  std::int64_t max(std::int64_t value) override { return reduce(value, MPI_MAX); }

  void broadcast(std::string& bytes, int root) override {
    std::int64_t left = static_cast<std::int64_t>(bytes.size());
    MPI_Bcast(&left, 1, MPI_INT64_T, root, MPI_COMM_WORLD);
    bytes.resize(static_cast<std::size_t>(left));
    for (char* at = bytes.data(); left > 0;) {
      const int count = static_cast<int>(left < INT_MAX ? left : INT_MAX);
      MPI_Bcast(at, count, MPI_BYTE, root, MPI_COMM_WORLD);
      at += count;
      left -= count;
    }
  }

  void exchange(const std::byte* own, std::byte* taken, std::size_t piece_bytes) override {
    const int count = words(piece_bytes);
    MPI_Alltoall(own, count, MPI_INT64_T, taken, count, MPI_INT64_T, MPI_COMM_WORLD);
  }

  void gather(const std::byte* piece, std::byte* all, std::size_t piece_bytes) override {
    const int count = words(piece_bytes);
    MPI_Allgather(piece, count, MPI_INT64_T, all, count, MPI_INT64_T, MPI_COMM_WORLD);
  }

  void abort(int code) override { MPI_Abort(MPI_COMM_WORLD, code); }

 private:
  static std::int64_t reduce(std::int64_t value, MPI_Op op) {
    std::int64_t result = 0;
    MPI_Allreduce(&value, &result, 1, MPI_INT64_T, op, MPI_COMM_WORLD);
    return result;
  }

  // MPI counts with an int.
  static int words(std::size_t bytes) {
    if (bytes / 8 > INT_MAX) throw Error("pieces of " + std::to_string(bytes) + " bytes, expected at most 16 GiB: more processes");
    return static_cast<int>(bytes / 8);
  }

  int rank_ = 0, size_ = 1;
};

}  // namespace

std::unique_ptr<Communicator> connect() {
  if (launch().size == 1) return nullptr;
  return std::make_unique<Mpi>();
}

}  // namespace stair::runtime

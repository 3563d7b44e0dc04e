#include "runtime/communicator.h"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <system_error>
#include <utility>

namespace stair::runtime {
namespace {

class Alone : public Communicator {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  std::int64_t sum(std::int64_t value) override { return value; }
  std::int64_t max(std::int64_t value) override { return value; }
  void broadcast(std::string&, int) override {}
  void exchange(const std::byte* own, std::byte* taken, std::size_t piece_bytes) override { std::copy(own, own + piece_bytes, taken); }
  void gather(const std::byte* piece, std::byte* all, std::size_t piece_bytes) override { std::copy(piece, piece + piece_bytes, all); }
  void abort(int code) override { std::exit(code); }
};

int number_in(const char* variable, int otherwise) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? otherwise : std::atoi(text);
}

}  // namespace

void Communicator::sum_each(std::vector<std::int64_t>& values) {
  const std::size_t count = values.size();
  std::vector<std::int64_t> all(count * static_cast<std::size_t>(size()));
  gather(reinterpret_cast<const std::byte*>(values.data()), reinterpret_cast<std::byte*>(all.data()), count * sizeof(std::int64_t));
  std::fill(values.begin(), values.end(), 0);
  for (std::size_t i = 0; i < all.size(); ++i) values[i % count] += all[i];
}

Communicator& alone() {
  static Alone only;
  return only;
}

Launch launch() {
  // Open MPI; MPICH, Intel MPI and Slurm's PMI.
  constexpr const char* launchers[][3] = {{"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE"},
                                          {"PMI_SIZE", "PMI_RANK", "MPI_LOCALNRANKS"}};
  for (const auto& [size, rank, local_size] : launchers) {
    if (number_in(size, 1) > 1) return {number_in(rank, 0), number_in(size, 1), std::max(1, number_in(local_size, 1))};
  }
  return {};
}

void together(Communicator& communicator, const std::function<void()>& part) {
  if (communicator.size() == 1) return part();
  std::string message;
  bool failed = true;
  bool ours = false;
  try {
    part();
    failed = false;
  } catch (const Error& error) {
    message = error.what();
  } catch (const std::system_error& error) {
    message = error.what();
  } catch (const std::bad_alloc&) {
    message = "out of memory, expected a smaller model, batch or data set, or fewer processes on a machine";
  } catch (const std::exception& error) {
    message = error.what();
    ours = true;
  }
  const std::int64_t size = communicator.size();
  const std::int64_t first = size - communicator.max(failed ? size - communicator.rank() : 0);
  if (first == size) return;
  message.insert(0, 1, ours ? 'i' : 'e');
  communicator.broadcast(message, static_cast<int>(first));
  const std::string text = message.substr(1);
  if (message[0] == 'i') throw SharedInternalError(text);
  throw SharedError(text);
}

}  // namespace stair::runtime

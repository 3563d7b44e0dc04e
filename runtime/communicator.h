#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ir/error.h"

namespace stair::runtime {

/// The processes of one run. Each call is collective: all processes make the same calls in the same order, and a process waits in a call
/// until the others have made it. From the thread that made the object only. No call adds floats: who adds in which order is the caller's.
class Communicator {
 public:
  virtual ~Communicator() = default;
  Communicator() = default;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  /// Which process this is, from 0. Process 0 alone writes files and talks to the user.
  virtual int rank() const = 0;
  virtual int size() const = 0;
  bool leads() const { return rank() == 0; }

  /// The sum and the largest of what each process says.
  virtual std::int64_t sum(std::int64_t value) = 0;
  virtual std::int64_t max(std::int64_t value) = 0;
  /// Each number becomes the sum of what the processes say for it; so many everywhere.
  void sum_each(std::vector<std::int64_t>& values);
  /// The bytes of process `root` become everybody's.
  virtual void broadcast(std::string& bytes, int root) = 0;
  /// `own` is size() pieces, one for each process; `taken` becomes the pieces that all have for this one, in the order of ranks. The bytes
  /// of a piece are a multiple of 8, and the same everywhere.
  virtual void exchange(const std::byte* own, std::byte* taken, std::size_t piece_bytes) = 0;
  /// `all` becomes everybody's piece, in the order of ranks.
  virtual void gather(const std::byte* piece, std::byte* all, std::size_t piece_bytes) = 0;
  /// Ends all processes at once, for what only this one knows of. The code is the job's exit code.
  virtual void abort(int code) = 0;
};

/// What together() throws where there are several processes: all of them throw it, so that all of them end in order.
class SharedError : public Error {
 public:
  using Error::Error;
};
class SharedInternalError : public InternalError {
 public:
  using InternalError::InternalError;
};

/// Runs a part that communicates with nobody. Where it throws on any process, all throw: the error of the first such process.
void together(Communicator& communicator, const std::function<void()>& part);

/// The one process of a run that has no others.
Communicator& alone();

/// What the launcher (mpirun, or whatever sets its variables) says this process is; a process that nobody launched is 0 of 1.
struct Launch {
  int rank = 0, size = 1;
  int local_size = 1;  ///< of the processes, those on this machine; 1 where the launcher doesn't say
};
Launch launch();
/// The processes that the launcher started together with this one; nullptr where it started none. Error where there are others and this
/// build has no MPI. Once in a process.
std::unique_ptr<Communicator> connect();

}  // namespace stair::runtime

#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

#include "runtime/batches.h"

namespace stair::runtime {

/// Loads batches of training ahead of their use, on a thread of its own: while one is in use, the next is made. Which batch is the n-th is
/// fixed, so that what next() yields doesn't depend on who is faster.
class Prefetch {
 public:
  struct Place {
    std::int64_t epoch = 0, index = 0;  ///< as in Batches::load_training
  };

  /// Batches 0 to count - 1 of a sequence. `batches` belongs to the thread until this object is gone.
  Prefetch(Batches& batches, std::int64_t count, std::function<Place(std::int64_t n)> sequence);
  /// Waits for the batch that is being made, not for those behind it.
  ~Prefetch();
  Prefetch(const Prefetch&) = delete;
  Prefetch& operator=(const Prefetch&) = delete;

  /// The next batch of the sequence, until the following call. At most `count` calls. Throws what the loading of that batch threw.
  const Batch& next();

 private:
  void load_all();

  Batches& batches_;
  std::int64_t count_;
  std::function<Place(std::int64_t)> sequence_;

  Batch used_;

  std::mutex mutex_;  // of what follows, and of the batch in `batches_` while it is ready
  std::condition_variable changed_;
  bool is_ready_ = false, stop_ = false;
  std::exception_ptr failure_;
  std::thread thread_;
};

}  // namespace stair::runtime

#include "runtime/prefetch.h"

#include <utility>

namespace stair::runtime {

Prefetch::Prefetch(Batches& batches, std::int64_t count, std::function<Place(std::int64_t)> sequence)
    : batches_(batches), count_(count), sequence_(std::move(sequence)), used_(batches.make()) {
  if (count > 0) thread_ = std::thread([this] { load_all(); });
}

Prefetch::~Prefetch() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

// Two batches are about: the one in use, and the one in `batches_`, which is being made or waits.
void Prefetch::load_all() {
  for (std::int64_t n = 0; n < count_; ++n) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return !is_ready_ || stop_; });
      if (stop_) return;
    }
    std::exception_ptr failure;
    try {
      const Place place = sequence_(n);
      batches_.load_training(place.epoch, place.index);
    } catch (...) {
      failure = std::current_exception();
    }
    {
      const std::lock_guard lock(mutex_);
      failure_ = failure;
      is_ready_ = true;
    }
    changed_.notify_all();
    if (failure) return;
  }
}

const Batch& Prefetch::next() {
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return is_ready_; });
    if (failure_) std::rethrow_exception(failure_);
    batches_.exchange(used_);
    is_ready_ = false;
  }
  changed_.notify_all();
  return used_;
}

}  // namespace stair::runtime

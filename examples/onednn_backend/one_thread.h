#pragma once

#include <omp.h>

/// oneDNN cuts a primitive's work by the number of threads that OpenMP would use when its description is made, when it is created, and when
/// it runs. While one of these lives, that is one thread.
class OneThread {
 public:
  OneThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~OneThread() { omp_set_num_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

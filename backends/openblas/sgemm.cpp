#include "backends/openblas/sgemm.h"

// Its complex types are an extension to clang.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#include <cblas.h>
#pragma GCC diagnostic pop
#include <dlfcn.h>

#include <mutex>
namespace stair::backends::openblas {
namespace {

// OpenBLAS may start no threads of its own. Its build with OpenMP asks that library each time how many the calling thread may start.
void stay_on_this_thread() {
  using SetThreads = void (*)(int);
  thread_local const bool told = [] {
    openblas_set_num_threads(1);
    if (openblas_get_parallel() != OPENBLAS_OPENMP) return true;
    const auto set = reinterpret_cast<SetThreads>(::dlsym(RTLD_DEFAULT, "omp_set_num_threads"));
    if (set != nullptr) set(1);
    return true;
  }();
  static_cast<void>(told);
}

}  // namespace

void sgemm(std::int64_t m, std::int64_t n, std::int64_t k, Matrix a, Matrix b, float beta, float* c, std::int64_t c_stride) {
  stay_on_this_thread();
  // Debian's serial build, which its alternatives may put in the place of the others, hands out one buffer to several threads.
  static std::mutex serial;
  std::unique_lock<std::mutex> alone(serial, std::defer_lock);
  if (openblas_get_parallel() == OPENBLAS_SEQUENTIAL) alone.lock();
  const auto blas = [](std::int64_t size) { return static_cast<blasint>(size); };
  cblas_sgemm(CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans, b.transposed ? CblasTrans : CblasNoTrans, blas(m), blas(n), blas(k),
              1.0F, a.data, blas(a.stride), b.data, blas(b.stride), beta, c, blas(c_stride));
}

}  // namespace stair::backends::openblas

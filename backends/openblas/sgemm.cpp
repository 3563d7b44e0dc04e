#include "backends/openblas/sgemm.h"

// Its complex types are an extension to clang.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#include <cblas.h>
#pragma GCC diagnostic pop
#include <omp.h>

namespace stair::backends::openblas {
namespace {

// While it lives, the calling thread may start no team. OpenBLAS asks OpenMP how many threads it may use, and a parallel region of one
// thread doesn't count as one to it.
class SingleThread {
 public:
  SingleThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~SingleThread() { omp_set_num_threads(before_); }
  SingleThread(const SingleThread&) = delete;
  SingleThread& operator=(const SingleThread&) = delete;

 private:
  int before_;
};

}  // namespace

void sgemm(std::int64_t m, std::int64_t n, std::int64_t k, Matrix a, Matrix b, float beta, float* c, std::int64_t c_stride) {
  const SingleThread single;
  const auto blas = [](std::int64_t size) { return static_cast<blasint>(size); };
  cblas_sgemm(CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans, b.transposed ? CblasTrans : CblasNoTrans, blas(m), blas(n), blas(k),
              1.0F, a.data, blas(a.stride), b.data, blas(b.stride), beta, c, blas(c_stride));
}

}  // namespace stair::backends::openblas

#include "backends/openblas/sgemm.h"

#include <cblas.h>

namespace stair::backends::openblas {

void sgemm(std::int64_t m, std::int64_t n, std::int64_t k, Matrix a, Matrix b, float beta, float* c, std::int64_t c_stride) {
  // A parallel region of one thread doesn't count as one to OpenBLAS, which would then start threads of its own.
  [[maybe_unused]] static const bool single = (openblas_set_num_threads(1), true);
  const auto blas = [](std::int64_t size) { return static_cast<blasint>(size); };
  cblas_sgemm(CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans, b.transposed ? CblasTrans : CblasNoTrans, blas(m), blas(n), blas(k),
              1.0F, a.data, blas(a.stride), b.data, blas(b.stride), beta, c, blas(c_stride));
}

}  // namespace stair::backends::openblas

#include "backends/int8/kernels.h"

#include <vector>

#include "backends/processor.h"

namespace stair::backends::int8 {

// Generated from the files of each variant's folder: each fills its part of the table.
namespace scalar {
void register_all(Kernels& kernels);
}
#if defined(__x86_64__)
namespace avx2 {
void register_all(Kernels& kernels);
}
namespace avx512_vnni {
void register_all(Kernels& kernels);
}
namespace amx {
void register_all(Kernels& kernels);
}
#elif defined(__aarch64__)
namespace neon_dot {
void register_all(Kernels& kernels);
}
namespace neon {
void register_all(Kernels& kernels);
}
#endif

namespace {

Kernels make(Isa isa) {
  Kernels kernels;
  kernels.isa = isa;
  switch (isa) {
#if defined(__x86_64__)
    case Isa::amx:
      avx512_vnni::register_all(kernels);
      amx::register_all(kernels);
      if (!processor::has_amx_bf16()) {
        kernels.weight_gradient = nullptr;
        kernels.input_gradient = nullptr;
        kernels.matrix_rows = nullptr;
        kernels.matrix_columns = nullptr;
      }
      break;
    case Isa::avx512_vnni:
      avx512_vnni::register_all(kernels);
      break;
    case Isa::avx2:
      avx2::register_all(kernels);
      break;
#elif defined(__aarch64__)
    case Isa::neon_dot:
      neon_dot::register_all(kernels);
      break;
    case Isa::neon:
      neon::register_all(kernels);
      break;
#endif
    case Isa::scalar:
      scalar::register_all(kernels);
      break;
    default:  // of other processors
      break;
  }
  return kernels;
}

}  // namespace

const Kernels& kernels_of(Isa isa) {
  static const std::vector<Kernels> tables = [] {
    std::vector<Kernels> list;
    for (const Isa each : every_isa()) list.push_back(make(each));
    return list;
  }();
  return tables[static_cast<std::size_t>(isa)];
}

}  // namespace stair::backends::int8

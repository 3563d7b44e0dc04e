#include "backends/int8/kernels.h"

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
#endif

namespace {

Kernels make(Isa isa) {
  Kernels kernels;
#if defined(__x86_64__)
  switch (isa) {
    case Isa::amx:
      avx512_vnni::register_all(kernels);
      amx::register_all(kernels);
      break;
    case Isa::avx512_vnni:
      avx512_vnni::register_all(kernels);
      break;
    case Isa::avx2:
      avx2::register_all(kernels);
      break;
    case Isa::scalar:
      scalar::register_all(kernels);
      break;
  }
#else
  scalar::register_all(kernels);
#endif
  kernels.isa = isa;
  return kernels;
}

}  // namespace

const Kernels& kernels_of(Isa isa) {
  static const Kernels tables[] = {make(Isa::amx), make(Isa::avx512_vnni), make(Isa::avx2), make(Isa::scalar)};
  return tables[static_cast<std::size_t>(isa)];
}

}  // namespace stair::backends::int8

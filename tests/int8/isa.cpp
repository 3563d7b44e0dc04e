#include "backends/int8/isa.h"

#include <doctest/doctest.h>

#include <set>

#include "backends/int8/kernels.h"
#include "ir/error.h"

using namespace stair;
using namespace stair::backends::int8;

TEST_CASE("isa: names and their inverse") {
  for (const Isa isa : every_isa()) CHECK(isa_named(name_of(isa)) == isa);
  CHECK_THROWS_WITH_AS(
      isa_named("avx3"),
      "unknown instruction set 'avx3' (did you mean 'avx2'?), expected 'amx', 'avx512_vnni', 'avx2', 'neon_dot', 'neon' or 'scalar'",
      Error);
}

TEST_CASE("isa: scalar is everywhere, and last") {
  REQUIRE_FALSE(present_isas().empty());
  CHECK(present_isas().back() == Isa::scalar);
}

TEST_CASE("isa: the forced one is the one that is used") {
  const Isa before = chosen_isa();
  for (const Isa isa : every_isa()) {
    if (is_present(isa)) {
      force_isa(isa);
      CHECK(chosen_isa() == isa);
      CHECK(kernels_of(chosen_isa()).isa == isa);
    } else {
      CHECK_THROWS_AS(force_isa(isa), Error);
    }
  }
  force_isa(before);
}

TEST_CASE("isa: each variant fills the whole table, with a product of its own") {
  std::set<const void*> products;
  for (const Isa isa : present_isas()) {
    const Kernels& kernels = kernels_of(isa);
    CAPTURE(name_of(isa));
    CHECK((kernels.epilogue != nullptr));
    CHECK((kernels.depthwise != nullptr));
    CHECK((kernels.quantize != nullptr));
    CHECK((kernels.quantize_marking != nullptr));
    CHECK((kernels.quantize_triples != nullptr));
    CHECK((kernels.dequantize != nullptr));
    CHECK((kernels.binary != nullptr));
    CHECK((kernels.lookup != nullptr));
    CHECK((kernels.max_windows != nullptr));
    CHECK((kernels.sum_windows != nullptr));
    REQUIRE((kernels.product != nullptr));
    CHECK(products.insert(reinterpret_cast<const void*>(kernels.product)).second);  // else one runs as another
  }
}

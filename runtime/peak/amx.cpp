#include "backends/processor.h"
#include "runtime/peak.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace stair::runtime::peak {

#if defined(__x86_64__)
namespace {

// The layout that LDTILECFG reads: palette 1, eight tiles of 16 rows of 64 bytes.
struct alignas(64) TileConfiguration {
  std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
  std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

// Four tiles of sums over two of rows and two of columns, as a matrix product has them.
__attribute__((target("amx-tile,amx-int8"))) std::int64_t tile_products(std::int64_t times) {
  constexpr std::int64_t products_of_a_tile = 16 * 16 * 64;
  static constexpr TileConfiguration configuration;
  _tile_loadconfig(&configuration);
  for (std::int64_t i = 0; i < times; ++i) {
    _tile_dpbusd(0, 4, 6);
    _tile_dpbusd(1, 4, 7);
    _tile_dpbusd(2, 5, 6);
    _tile_dpbusd(3, 5, 7);
  }
  _tile_release();
  return times * 4 * products_of_a_tile;
}

}  // namespace
#endif

void amx([[maybe_unused]] PeakRegistry& registry) {
#if defined(__x86_64__)
  registry.add({"amx", "tdpbusd", PeakLoop::Elements::int8, backends::processor::has_amx_int8, tile_products});
#endif
}

}  // namespace stair::runtime::peak

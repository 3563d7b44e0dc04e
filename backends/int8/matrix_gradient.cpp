#include <algorithm>
#include <string>

#include "backends/int8/gradients.h"
#include "backends/int8/memory.h"
#include "backends/int8/variant_kernel.h"
#include "backends/parallel_for.h"

namespace stair::backends::int8 {
namespace {

constexpr std::int64_t bfloat_bytes = 2;

/// The product of floats with integers. Where its operands lie among the group's: q, scale, zero point, a.
class MatrixGradientKernel : public VariantKernel {
 public:
  MatrixGradientKernel(const Kernels& kernels, bool transposed, bool is_signed, std::int64_t m, std::int64_t n, std::int64_t k)
      : VariantKernel(kernels, gradient_description),
        transposed_(transposed),
        is_signed_(is_signed),
        m_(m),
        n_(n),
        k_(k),
        steps_(quotient_up(k, gradient_depth)) {}

  /// The float operand in parts.
  static std::int64_t parts_bytes(std::int64_t m, std::int64_t k) {
    return whole(m, gradient_tile) * whole(k, gradient_depth) * gradient_parts * bfloat_bytes;
  }
  static std::int64_t panel_bytes(std::int64_t k) { return whole(k, gradient_depth) * matrix_columns * bfloat_bytes; }

  void run(const Arguments& a) override {
    std::byte* memory = a.scratch;
    auto* parts = reinterpret_cast<std::uint16_t*>(take(memory, static_cast<std::size_t>(parts_bytes(m_, k_))));
    auto* scale = reinterpret_cast<float*>(take(memory, scale_bytes()));
    for (std::int64_t k = 0; k < k_; ++k) scale[k] = a.operands[1].as<float>()[a.operands[1].count() == 1 ? 0 : k];
    std::fill(scale + k_, scale + steps_ * gradient_depth, 0.0F);
    const std::int64_t blocks = quotient_up(m_, gradient_tile);
    const std::int64_t panels = quotient_up(n_, matrix_columns);
    parallel_for(blocks, a.threads, [&](std::int64_t block, int) {
      const std::int64_t row = block * gradient_tile;
      MatrixRows rows{};
      rows.from = a.operands[3].as<float>() + row * (transposed_ ? 1 : k_);
      rows.rows = std::min(m_ - row, gradient_tile);
      rows.stride = transposed_ ? m_ : k_;
      rows.transposed = transposed_;
      rows.depth = k_;
      rows.scale = scale;
      rows.to = parts + row * steps_ * gradient_depth * gradient_parts;
      kernels_.matrix_rows(rows);
    });
    parallel_for(panels, a.threads, [&](std::int64_t panel, int slot) {
      const std::int64_t column = panel * matrix_columns;
      MatrixColumns columns{};
      columns.parts = parts;
      columns.rows = m_;
      columns.depth = k_;
      columns.q_stride = columns.y_stride = n_;
      columns.is_signed = is_signed_;
      columns.zero_point = *a.operands[2].as<std::int32_t>();
      columns.panel = reinterpret_cast<std::uint16_t*>(memory + panel_bytes(k_) * slot);
      columns.columns = std::min(n_ - column, matrix_columns);
      columns.q = a.operands[0].as<std::uint8_t>() + column;
      columns.y = a.results[0].as<float>() + column;
      kernels_.matrix_columns(columns);
    });
  }

  std::size_t scratch_bytes(int threads) const override {
    return whole_lines(static_cast<std::size_t>(parts_bytes(m_, k_))) + whole_lines(scale_bytes()) +
           static_cast<std::size_t>(threads) * static_cast<std::size_t>(panel_bytes(k_));
  }

 private:
  std::size_t scale_bytes() const { return static_cast<std::size_t>(steps_ * gradient_depth) * sizeof(float); }

  bool transposed_, is_signed_;
  std::int64_t m_, n_, k_, steps_;
};

}  // namespace

bool matrix_gradient_fits(const Kernels& kernels, std::int64_t m, std::int64_t n, std::int64_t k) {
  constexpr std::int64_t least_products = 1 << 20;       // below, floats are as fast
  constexpr std::int64_t most_parts = 16 * 1024 * 1024;  // bytes; each thread reads all of them for each panel
  constexpr std::int64_t most_panel = 1024 * 1024;
  return kernels.matrix_columns != nullptr && std::min({m, n, k}) >= gradient_tile && m * n * k >= least_products &&
         MatrixGradientKernel::parts_bytes(m, k) <= most_parts && MatrixGradientKernel::panel_bytes(k) <= most_panel;
}

std::unique_ptr<Kernel> matrix_gradient(const Kernels& kernels, bool transposed, bool is_signed, std::int64_t m, std::int64_t n,
                                        std::int64_t k) {
  return std::make_unique<MatrixGradientKernel>(kernels, transposed, is_signed, m, n, k);
}

}  // namespace stair::backends::int8

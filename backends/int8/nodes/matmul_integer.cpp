#include <algorithm>
#include <string>

#include "backends/int8/contraction.h"
#include "backends/int8/for_ranges.h"
#include "backends/int8/fusion.h"
#include "backends/int8/memory.h"
#include "backends/int8/node_kernels.h"
#include "backends/int8/pack.h"
#include "backends/int8/transpose.h"
#include "backends/int8/variant_kernel.h"
#include "backends/matrix_product.h"
#include "ir/op.h"

namespace stair::backends::int8 {
namespace {

// A product of two activations, whose second operand is packed at each run as weights are. With a' and b' in the signs that the kernels
// want:
//   sum of (a' - za)(b' - zb) = sum of a' b' - za * sum of b' - zb * sum of a' + k * za * zb
// of which the sums of b' belong to channels and those of a' to rows.
class MatmulKernel : public VariantKernel {
 public:
  MatmulKernel(const Kernels& kernels, const ir::Graph& graph, std::span<const ir::NodeId> nodes)
      : VariantKernel(kernels, "matrix product"),
        fusion_(graph, nodes),
        product_(fusion_.sums->attributes, shape_of(graph, 0), shape_of(graph, 1), graph.type(fusion_.sums->results[0]).shape),
        depth_(product_.k),
        transposes_a_(fusion_.sums->attributes.boolean("transpose_a")),
        flips_a_((graph.type(fusion_.sums->operands[0]).dtype == ir::DType::s8) != kernels.signed_activations),
        flips_b_(graph.type(fusion_.sums->operands[1]).dtype == ir::DType::u8),
        in_place_(!flips_a_ && depth_.bytes() == depth_.k),
        element_bytes_(static_cast<std::int64_t>(ir::size_of(graph.type(fusion_.last().results[0]).dtype))),
        panels_(quotient_up(product_.n, kernels.panel)) {
    // Matrices that all meet the same b are one matrix.
    const auto& b = product_.b_offset;
    const bool shared = std::all_of(b.begin(), b.end(), [&](std::int64_t offset) { return offset == b.front(); });
    if (shared && !transposes_a_ && ir::element_count(shape_of(graph, 0)) == product_.batches * product_.m * product_.k) {
      product_.m *= product_.batches;
      product_.batches = 1;
    }
    block_rows_ = std::min(product_.m, std::max(copied_bytes / depth_.bytes() / row_step * row_step, row_step));
    describe_more(fusion_);
  }

  std::size_t scratch_bytes(int threads) const override {
    return Fusion::parameter_bytes(product_.n) + static_cast<std::size_t>(threads) * rows_bytes() +
           static_cast<std::size_t>(std::min<std::int64_t>(product_.batches, threads)) * batch_bytes();
  }

  // Threads share out the batches; where these are too few, the rows of each.
  void run(const Arguments& a) override {
    const Epilogue epilogue = fusion_.epilogue(a.operands, product_.n, a.scratch);
    const std::int64_t products = product_.batches * product_.m * product_.n * product_.k;
    const auto team = static_cast<int>(std::clamp<std::int64_t>(products / least_products, 1, a.threads));
    std::byte* const rows = a.scratch + Fusion::parameter_bytes(product_.n);
    std::byte* const own = rows + static_cast<std::size_t>(a.threads) * rows_bytes();
    if (product_.batches < team) return run_batches(a, epilogue, 0, product_.batches, team, rows, own);
    const std::int64_t parts = std::min(product_.batches, most_parts);
    parallel_for(parts, team, [&](std::int64_t part, int slot) {
      run_batches(a, epilogue, product_.batches * part / parts, product_.batches * (part + 1) / parts, 1,
                  rows + static_cast<std::size_t>(slot) * rows_bytes(), own + static_cast<std::size_t>(slot) * batch_bytes());
    });
  }

 private:
  static constexpr std::int64_t row_step = 16;
  static constexpr std::int64_t most_parts = 64;             // of the batches; neighbours in a part may share what is packed
  static constexpr std::int64_t slack_rows = 32;             // see Product::slack
  static constexpr std::int64_t copied_bytes = 128 * 1024;   // of a block of rows: it shares the second-level cache with b
  static constexpr std::int64_t least_products = 4'000'000;  // what a thread must have to do before waking another pays
  static constexpr std::int64_t least_packed = 128 * 1024;   // bytes for which it does

  const ir::Shape& shape_of(const ir::Graph& graph, std::size_t operand) const { return graph.type(fusion_.sums->operands[operand]).shape; }

  std::int64_t panel_bytes() const { return kernels_.panel * depth_.bytes(); }
  // Of a thread: a block of rows and what is added to their sums.
  std::size_t copy_bytes() const {
    return in_place_ ? 0 : whole_lines(static_cast<std::size_t>((block_rows_ + slack_rows) * depth_.bytes()));
  }
  std::size_t rows_bytes() const { return copy_bytes() + whole_lines(static_cast<std::size_t>(block_rows_) * sizeof(std::int32_t)); }
  // Of a batch: b packed, what is added to its channels' sums, and a where that is transposed.
  std::size_t matrix_bytes() const { return whole_lines(static_cast<std::size_t>(panels_ * panel_bytes())); }
  std::size_t offset_bytes() const {
    return whole_lines(static_cast<std::size_t>((panels_ + 1) * kernels_.panel + 16) * sizeof(std::int32_t));
  }
  std::size_t batch_bytes() const {
    return matrix_bytes() + offset_bytes() + (transposes_a_ ? whole_lines(static_cast<std::size_t>(product_.m * product_.k)) : 0);
  }

  // By one thread of many, or by a team of `threads`, each with rows_bytes() from `rows` on.
  void run_batches(const Arguments& a, const Epilogue& epilogue, std::int64_t first, std::int64_t last, int threads, std::byte* rows,
                   std::byte* memory) const {
    const std::int32_t za = *a.operands[2].as<std::int32_t>() + (!flips_a_ ? 0 : kernels_.signed_activations ? -128 : 128);
    const std::int32_t zb = *a.operands[3].as<std::int32_t>() - (flips_b_ ? 128 : 0);
    auto* packed = reinterpret_cast<std::int8_t*>(memory);
    auto* offset = reinterpret_cast<std::int32_t*>(memory + matrix_bytes());
    auto* transposed = reinterpret_cast<std::uint8_t*>(memory + matrix_bytes() + offset_bytes());
    Epilogue own = epilogue;
    own.offset = offset;
    std::int64_t present = -1;  // the matrix that is packed
    for (std::int64_t batch = first; batch < last; ++batch) {
      const auto at = static_cast<std::size_t>(batch);
      if (product_.b_offset[at] != present) {
        present = product_.b_offset[at];
        pack(a.operands[1].as<const std::uint8_t>() + present, za, zb, epilogue.offset, packed, offset, threads);
      }
      const auto* left = a.operands[0].as<const std::uint8_t>() + product_.a_offset[at];
      if (transposes_a_) {
        transpose(left, 1, product_.k, product_.m, transposed, threads);
        left = transposed;
      }
      multiply(left, packed, zb, own, a, batch, threads, rows);
    }
  }

  void pack(const std::uint8_t* b, std::int32_t za, std::int32_t zb, const std::int32_t* bias, std::int8_t* packed, std::int32_t* offset,
            int threads) const {
    const std::int64_t panel = kernels_.panel;
    const auto constant = static_cast<std::uint32_t>(product_.k) * static_cast<std::uint32_t>(za) * static_cast<std::uint32_t>(zb);
    for_ranges(panels_, 1, least_packed / panel_bytes(), threads, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i) {
        const std::int64_t channel = i * panel;
        const std::int64_t channels = std::min(panel, product_.n - channel);
        pack_panel({b + channel * product_.b_column, product_.b_row, product_.b_column}, depth_, channels, panel, flips_b_,
                   packed + i * panel_bytes(), offset + channel);
        for (std::int64_t c = channel; c < channel + channels; ++c) {
          const auto sum = static_cast<std::uint32_t>(offset[c]);
          offset[c] = static_cast<std::int32_t>(static_cast<std::uint32_t>(bias[c]) + constant - static_cast<std::uint32_t>(za) * sum);
        }
      }
    });
  }

  void multiply(const std::uint8_t* left, const std::int8_t* packed, std::int32_t zb, const Epilogue& epilogue, const Arguments& a,
                std::int64_t batch, int threads, std::byte* memory) const {
    const std::int64_t share = quotient_up(quotient_up(product_.m, threads), row_step) * row_step;
    const std::int64_t block = std::min(block_rows_, share);
    const std::int64_t blocks = quotient_up(product_.m, block);
    parallel_for(blocks, threads, [&](std::int64_t i, int slot) {
      const std::int64_t row = i * block;
      const std::int64_t rows = std::min(block, product_.m - row);
      std::byte* const own = memory + static_cast<std::size_t>(slot) * rows_bytes();
      multiply_rows(left + row * product_.k, rows, packed, zb, epilogue, a, batch * product_.m + row, own);
    });
  }

  void multiply_rows(const std::uint8_t* left, std::int64_t rows, const std::int8_t* packed, std::int32_t zb, const Epilogue& epilogue,
                     const Arguments& a, std::int64_t result_row, std::byte* memory) const {
    constexpr std::int32_t run_offset = 0;
    Product p{};
    p.activations = left;
    if (!in_place_) {
      auto* copy = reinterpret_cast<std::uint8_t*>(memory);
      copy_rows(left, depth_, rows, flips_a_, copy);
      p.activations = copy;
    }
    if (zb != 0) {
      auto* offsets = reinterpret_cast<std::int32_t*>(memory + copy_bytes());
      sum_rows(p.activations, rows, product_.k, depth_.bytes(), kernels_.signed_activations, -zb, offsets);
      p.row_offsets = offsets;
    }
    p.lines = 1;
    p.columns = rows;
    p.row_stride = depth_.bytes();
    p.line_stride = rows * p.row_stride;
    p.run_offsets = &run_offset;
    p.runs = 1;
    p.groups = depth_.groups;
    p.groups_per_step = depth_.groups_per_step;
    p.slack = !in_place_;
    p.weight_bits = 8;
    p.weights = packed;
    p.channels = product_.n;
    p.epilogue = &epilogue;
    const std::int64_t at = result_row * product_.n;
    p.to = a.results[0].as<std::byte>() + at * element_bytes_;
    p.to_stride = product_.n * element_bytes_;
    if (fusion_.join != nullptr) p.other = a.operands[fusion_.other_at()].as<const std::uint8_t>() + at;
    p.other_stride = product_.n;
    kernels_.product(p);
  }

  Fusion fusion_;
  MatrixProduct product_;
  Depth depth_;
  bool transposes_a_, flips_a_, flips_b_;
  bool in_place_;  // rows of a are read as they lie
  std::int64_t element_bytes_, panels_;
  std::int64_t block_rows_ = 0;  // copied at once
};

Answer accepts_matmul_integer(const ir::Graph&, const ir::Node&) {
  return Answer::can();
}

std::unique_ptr<Kernel> prepare_matmul_integer(const Kernels& kernels, const ir::Graph& graph, std::span<const ir::NodeId> nodes,
                                               Constants) {
  return std::make_unique<MatmulKernel>(kernels, graph, nodes);
}

std::vector<ir::NodeId> group_matmul_integer(const Kernels&, const ir::Graph& graph, const ir::Uses& uses, ir::NodeId first,
                                             const std::function<bool(ir::NodeId)>& free) {
  return fuse(graph, uses, first, free);
}

}  // namespace

void matmul_integer(NodeKernels& kernels) {
  kernels.add("matmul_integer", {accepts_matmul_integer, prepare_matmul_integer, group_matmul_integer});
}

}  // namespace stair::backends::int8

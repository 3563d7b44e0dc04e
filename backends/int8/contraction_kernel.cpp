#include "backends/int8/contraction_kernel.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "backends/int8/for_ranges.h"
#include "backends/int8/memory.h"
#include "backends/int8/normalization.h"
#include "backends/int8/transpose.h"
#include "backends/int8/variant_kernel.h"
#include "ir/op.h"

namespace stair::backends::int8 {

namespace {

class ContractionKernel : public VariantKernel {
 public:
  ContractionKernel(const Kernels& kernels, const ir::Graph& graph, std::span<const ir::NodeId> nodes, Constants constants,
                    const Window& window, std::string_view what)
      : VariantKernel(kernels, std::string(what)),
        fusion_(graph, nodes),
        normalization_(Normalization::among(kernels, graph, nodes)),
        window_(window),
        channels_first_(fusion_.sums->attributes.has("layout") && !channels_last(fusion_.sums->attributes)),
        element_bytes_(ir::size_of(graph.type(fusion_.last().results[0]).dtype)) {
    Window planned = window;
    if (channels_first_) planned.images = 1;
    const std::vector<ir::TensorView> operands = constant_operands(graph, nodes, constants);
    std::span<const std::int8_t> weights;
    if (!operands.empty()) weights = {operands[1].as<const std::int8_t>(), static_cast<std::size_t>(operands[1].count())};
    const bool logits = fusion_.rescale != nullptr && fusion_.rescale->op->name == "dequantize_accumulator";
    contraction_ = plan_contraction(kernels, planned, graph.type(fusion_.sums->operands[0]).dtype == ir::DType::s8, weights,
                                    channels_first_ && logits);
    describe_more(fusion_);
    if (normalization_ != nullptr) describe_more("batch_norm");
    if (operands.empty()) return;
    own_ = Memory(prepared_bytes());
    prepared_ = prepare(operands, own_.data(), 1);
  }

  std::size_t scratch_bytes(int threads) const override {
    return whole_lines(contraction_->scratch_bytes(threads)) + (own_.data() == nullptr ? whole_lines(prepared_bytes()) : 0) +
           (normalization_ != nullptr ? normalization_->scratch_bytes() : 0) +
           (channels_first_ ? image_bytes() * static_cast<std::size_t>(most_images(threads)) : 0);
  }
  std::size_t packed_bytes() const override { return own_.data() == nullptr ? 0 : prepared_bytes(); }

  void run(const Arguments& a) override {
    // Packed weights first: the parts of threads that there aren't lie behind them, in pages that nobody touches.
    std::byte* scratch = a.scratch;
    Prepared prepared = prepared_;
    if (own_.data() == nullptr) {
      prepared = prepare(a.operands, scratch, a.threads);
      scratch += whole_lines(prepared_bytes());
    }
    if (channels_first_) return run_images(a, prepared, scratch);
    const auto* other = fusion_.join != nullptr ? a.operands[fusion_.other_at()].as<const std::uint8_t>() : nullptr;
    contraction_->run(a.operands[0].as<const std::uint8_t>(), prepared.zero_point, prepared.packed, prepared.epilogue,
                      a.results[0].as<std::byte>(), other, scratch, a.threads);
  }

 private:
  struct Prepared {
    const std::int8_t* packed = nullptr;
    Epilogue epilogue;
    std::int32_t zero_point = 0;
  };

  std::size_t parameter_bytes() const { return Fusion::parameter_bytes(window_.out_channels); }
  std::size_t prepared_bytes() const { return parameter_bytes() + contraction_->packed_bytes(); }
  // Of an image.
  std::size_t input_bytes() const { return static_cast<std::size_t>(window_.in_height * window_.in_width * window_.in_channels); }
  std::size_t result_bytes() const {
    return static_cast<std::size_t>(window_.out_height * window_.out_width * window_.out_channels) * element_bytes_;
  }
  std::size_t image_bytes() const {
    return whole_lines(input_bytes()) + (contraction_->channels_first() ? 0 : whole_lines(result_bytes()));
  }
  // That are worked on at once.
  std::int64_t most_images(int threads) const { return std::min<std::int64_t>(window_.images, threads); }

  // Turns each image to channels last and, where the contraction doesn't do so itself, its result back: both lie in the cache meanwhile.
  // Threads share out the images; those of a batch too small for that, each image's rows.
  void run_images(const Arguments& a, const Prepared& prepared, std::byte* scratch) const {
    std::byte* images = scratch + whole_lines(contraction_->scratch_bytes(a.threads));
    std::byte* seen = nullptr;
    if (normalization_ != nullptr) seen = take(images, normalization_->scratch_bytes());
    const bool small = window_.images * static_cast<std::int64_t>(input_bytes() + result_bytes()) < elements_of_piece;
    const std::int64_t team = small || window_.images < a.threads ? 1 : most_images(a.threads);
    const int within = team == 1 ? a.threads : 1;
    parallel_for(window_.images, static_cast<int>(team), [&](std::int64_t image, int slot) {
      const auto thread = static_cast<std::size_t>(slot);
      std::byte* own = scratch + contraction_->scratch_bytes(1) * thread;
      auto* x = reinterpret_cast<std::uint8_t*>(images + image_bytes() * thread);
      auto* y = reinterpret_cast<std::byte*>(x) + whole_lines(input_bytes());
      const auto* from = a.operands[0].as<const std::uint8_t>() + static_cast<std::size_t>(image) * input_bytes();
      std::byte* to = a.results[0].as<std::byte>() + static_cast<std::size_t>(image) * result_bytes();
      transpose_rows(from, window_.in_channels, window_.in_height * window_.in_width, x, within);
      const bool transposed = contraction_->channels_first();
      contraction_->run(x, prepared.zero_point, prepared.packed, prepared.epilogue, transposed ? to : y, nullptr, own, within);
      if (!transposed) transpose_result(y, to, within);
      if (normalization_ != nullptr) normalization_->see(reinterpret_cast<const float*>(to), image, seen, within);
    });
    if (normalization_ != nullptr) normalization_->run(a, seen);
  }

  // [rows, columns] to [columns, rows]
  void transpose_rows(const std::uint8_t* from, std::int64_t rows, std::int64_t columns, std::uint8_t* to, int threads) const {
    if (threads == 1 && kernels_.transpose_bytes != nullptr) return kernels_.transpose_bytes(from, rows, columns, to);
    transpose(from, 1, rows, columns, to, threads);
  }
  void transpose_rows(const std::uint32_t* from, std::int64_t rows, std::int64_t columns, std::uint32_t* to, int threads) const {
    if (threads == 1 && kernels_.transpose != nullptr) return kernels_.transpose(from, rows, columns, to);
    transpose(from, 1, rows, columns, to, threads);
  }

  void transpose_result(const std::byte* from, std::byte* to, int threads) const {
    const std::int64_t pixels = window_.out_height * window_.out_width;
    if (element_bytes_ == 1) {
      transpose_rows(reinterpret_cast<const std::uint8_t*>(from), pixels, window_.out_channels, reinterpret_cast<std::uint8_t*>(to),
                     threads);
    } else {
      transpose_rows(reinterpret_cast<const std::uint32_t*>(from), pixels, window_.out_channels, reinterpret_cast<std::uint32_t*>(to),
                     threads);
    }
  }

  /// The operands of the group, those that aren't parameters without data; none where a parameter is no constant.
  std::vector<ir::TensorView> constant_operands(const ir::Graph& graph, std::span<const ir::NodeId> nodes, Constants constants) const {
    std::vector<ir::TensorView> operands;
    if (constants.empty()) return operands;
    for (const ir::NodeId node : nodes) {
      for (const ir::ValueId id : graph.node(node).operands) {
        if (id == ir::absent) {
          operands.emplace_back();
          continue;
        }
        const ir::TensorView& constant = constants[static_cast<std::size_t>(id)];
        if (constant.data == nullptr && !fusion_.is_activation(operands.size())) return {};
        operands.push_back({graph.type(id), constant.data});
      }
    }
    return operands;
  }

  Prepared prepare(std::span<const ir::TensorView> operands, std::byte* memory, int threads) const {
    Prepared p;
    p.epilogue = fusion_.epilogue(operands, window_.out_channels, memory);
    p.zero_point = *operands[2].as<std::int32_t>();
    auto* packed = reinterpret_cast<std::int8_t*>(memory + parameter_bytes());
    contraction_->pack(operands[1].as<std::int8_t>(), p.zero_point, packed, reinterpret_cast<std::int32_t*>(memory), threads);
    p.packed = packed;
    return p;
  }

  Fusion fusion_;
  std::unique_ptr<Normalization> normalization_;
  Window window_;
  bool channels_first_;
  std::size_t element_bytes_;  // of the result
  std::unique_ptr<Contraction> contraction_;
  Memory own_;
  Prepared prepared_;
};

}  // namespace

std::unique_ptr<Kernel> prepare_contraction(const Kernels& kernels, const ir::Graph& graph, std::span<const ir::NodeId> nodes,
                                            Constants constants, const Window& window, std::string_view what) {
  return std::make_unique<ContractionKernel>(kernels, graph, nodes, constants, window, what);
}

}  // namespace stair::backends::int8

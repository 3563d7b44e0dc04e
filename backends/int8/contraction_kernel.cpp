#include "backends/int8/contraction_kernel.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "backends/int8/memory.h"
#include "backends/int8/transpose.h"
#include "ir/op.h"

namespace stair::backends::int8 {

namespace {

class ContractionKernel : public Kernel {
 public:
  ContractionKernel(const Kernels& kernels, const ir::Graph& graph, std::span<const ir::NodeId> nodes, Constants constants,
                    const Window& window, std::string_view what)
      : fusion_(graph, nodes),
        window_(window),
        channels_first_(fusion_.sums->attributes.has("layout") && !channels_last(fusion_.sums->attributes)),
        contraction_(plan_contraction(kernels, window, graph.type(fusion_.sums->operands[0]).dtype == ir::DType::s8)) {
    description_ = std::string(name_of(kernels.isa)) + " " + std::string(what);
    if (fusion_.rescale != nullptr) description_ += " + " + fusion_.rescale->op->name;
    if (fusion_.join != nullptr) description_ += " + " + fusion_.join->op->name;
    const std::vector<ir::TensorView> operands = constant_operands(graph, nodes, constants);
    if (operands.empty()) return;
    own_ = Memory(prepared_bytes());
    prepared_ = prepare(operands, own_.data());
  }

  std::size_t scratch_bytes() const override {
    return whole_lines(contraction_->scratch_bytes()) + (own_.data() == nullptr ? whole_lines(prepared_bytes()) : 0) +
           (channels_first_ ? input_bytes() + result_bytes() : 0);
  }
  std::string_view description() const override { return description_; }

  void run(const Arguments& a) override {
    std::byte* scratch = a.scratch + whole_lines(contraction_->scratch_bytes());
    Prepared prepared = prepared_;
    if (own_.data() == nullptr) {
      prepared = prepare(a.operands, scratch);
      scratch += whole_lines(prepared_bytes());
    }
    const auto* input = a.operands[0].as<const std::uint8_t>();
    auto* result = a.results[0].as<std::byte>();
    const auto* other = fusion_.join != nullptr ? a.operands[fusion_.other_at()].as<const std::uint8_t>() : nullptr;
    if (!channels_first_) {
      return contraction_->run(input, prepared.zero_point, prepared.packed, prepared.epilogue, result, other, a.scratch, a.threads);
    }
    auto* x = reinterpret_cast<std::uint8_t*>(scratch);
    auto* y = reinterpret_cast<std::int32_t*>(scratch + input_bytes());
    to_channels_last(input, window_.images, window_.in_channels, window_.in_height * window_.in_width, x, a.threads);
    contraction_->run(x, prepared.zero_point, prepared.packed, prepared.epilogue, reinterpret_cast<std::byte*>(y), nullptr, a.scratch,
                      a.threads);
    to_channels_first(y, window_.images, window_.out_channels, window_.out_height * window_.out_width,
                      reinterpret_cast<std::int32_t*>(result), a.threads);
  }

 private:
  struct Prepared {
    const std::int8_t* packed = nullptr;
    Epilogue epilogue;
    std::int32_t zero_point = 0;
  };

  std::size_t parameter_bytes() const { return Fusion::parameter_bytes(window_.out_channels); }
  std::size_t prepared_bytes() const { return parameter_bytes() + contraction_->packed_bytes(); }
  std::size_t input_bytes() const {
    return whole_lines(static_cast<std::size_t>(window_.images * window_.in_height * window_.in_width * window_.in_channels));
  }
  std::size_t result_bytes() const {
    return whole_lines(static_cast<std::size_t>(window_.images * window_.out_height * window_.out_width * window_.out_channels) *
                       sizeof(std::int32_t));
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

  Prepared prepare(std::span<const ir::TensorView> operands, std::byte* memory) const {
    Prepared p;
    p.epilogue = fusion_.epilogue(operands, window_.out_channels, memory);
    p.zero_point = *operands[2].as<std::int32_t>();
    auto* packed = reinterpret_cast<std::int8_t*>(memory + parameter_bytes());
    contraction_->pack(operands[1].as<std::int8_t>(), p.zero_point, packed, reinterpret_cast<std::int32_t*>(memory));
    p.packed = packed;
    return p;
  }

  Fusion fusion_;
  Window window_;
  bool channels_first_;
  std::unique_ptr<Contraction> contraction_;
  std::string description_;
  Memory own_;
  Prepared prepared_;
};

}  // namespace

std::unique_ptr<Kernel> prepare_contraction(const Kernels& kernels, const ir::Graph& graph, std::span<const ir::NodeId> nodes,
                                            Constants constants, const Window& window, std::string_view what) {
  return std::make_unique<ContractionKernel>(kernels, graph, nodes, constants, window, what);
}

}  // namespace stair::backends::int8

#include <algorithm>
#include <array>
#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "backends/group_values.h"
#include "backends/int8/contraction_kernel.h"
#include "backends/int8/fusion.h"
#include "backends/int8/memory.h"
#include "backends/int8/node_kernels.h"
#include "backends/int8/pieces.h"
#include "backends/multiversion.h"
#include "ir/channel_fit.h"
#include "ir/op.h"

namespace stair::backends::int8 {
namespace {

// Of channels [first, last): all but the weights. Whether those stay as they are.
struct Fit {
  const std::int8_t* q;
  std::int64_t length;  // of a channel
  const float* w_scale;
  std::int64_t w_step;  // 0: one scale for all
  float x_scale;
  const float* factor;  // nullptr: none
  const float* bias;    // nullptr: none
  float* weight_scale;
  float* step;
  std::int32_t* integer_bias;
  float* plain_step;
};

STAIR_MULTIVERSION bool fit_parameters(const Fit& f, std::int64_t first, std::int64_t last) {
  bool same = true;
  for (std::int64_t c = first; c < last; ++c) {
    const float w_scale = f.w_scale[c * f.w_step];
    const ir::ChannelFit fit = ir::fit_channel({f.q + c * f.length, static_cast<std::size_t>(f.length)}, w_scale, f.x_scale,
                                               f.factor == nullptr ? 1 : f.factor[c], f.bias == nullptr ? nullptr : f.bias + c);
    f.weight_scale[c] = fit.weight_scale;
    f.step[c] = fit.step;
    f.integer_bias[c] = fit.bias;
    f.plain_step[c] = fit.plain_step(w_scale, f.x_scale);
    same = same && fit.sign == 1 && fit.exponent == 0;
  }
  return same;
}

/// The integer weights of a layer fitted to its bias and batch-norm (N-BIAS, N-BN-SCALE), and the linear layer behind them:
///   fit_channels, (linear_integer, dequantize_accumulator?)?
/// Where the fit leaves all weights as they are, which is the rule, the layer reads the quantizer's and nothing is copied.
class FitChannelsKernel : public Kernel {
 public:
  FitChannelsKernel(const ir::Graph& graph, std::span<const ir::NodeId> nodes, std::unique_ptr<Kernel> layer)
      : layer_(std::move(layer)), description_("loops") {
    const ir::Node& fit = graph.node(nodes[0]);
    const GroupValues values(graph, nodes);
    own_operands_ = fit.operands.size();
    if (layer_) {
      description_ = std::string(layer_->description()) + " of fitted weights";
      scratch_bytes_ = whole_lines(layer_->scratch_bytes());
    }
    for (std::size_t i = 0; i < fitted_.size(); ++i) {
      fitted_[i].tensor.type = graph.type(fit.results[i]);
      fitted_[i].result = values.result(fit.results[i]);
      fitted_[i].scratch = scratch_bytes_;
      if (fitted_[i].result) {
        ++own_results_;
      } else {
        scratch_bytes_ += whole_lines(ir::byte_count(fitted_[i].tensor.type));
      }
    }
    for (const ir::NodeId id : nodes.subspan(1)) {
      for (const ir::ValueId operand : graph.node(id).operands) {
        layer_operands_.emplace_back();
        if (operand != ir::absent) layer_operands_.back().type = graph.type(operand);
        const auto at = std::find(fit.results.begin(), fit.results.end(), operand) - fit.results.begin();
        layer_reads_.push_back(static_cast<std::size_t>(at));
      }
    }
  }
  std::string_view description() const override { return description_; }
  std::size_t scratch_bytes() const override { return scratch_bytes_; }

  void run(const Arguments& a) override {
    for (Fitted& fitted : fitted_) fitted.tensor.data = fitted.result ? a.results[*fitted.result].data : a.scratch + fitted.scratch;
    const bool same = fit_all(a);
    if (same && !fitted_[0].result) {
      fitted_[0].tensor.data = a.operands[0].data;
    } else {
      fit_weights(a);
    }
    if (!layer_) return;
    for (std::size_t i = 0; i < layer_operands_.size(); ++i) {
      const std::size_t read = layer_reads_[i];
      layer_operands_[i].data = read < fitted_.size() ? fitted_[read].tensor.data : a.operands[own_operands_ + i].data;
    }
    Arguments layer = a;
    layer.operands = layer_operands_;
    layer.results = a.results.subspan(own_results_);
    layer_->run(layer);
  }

 private:
  struct Fitted {
    ir::TensorView tensor;
    std::optional<std::size_t> result;  // among the group's; none: within the group, in its scratch
    std::size_t scratch = 0;
  };

  static float weight_scale(const Arguments& a, std::int64_t channel) {
    return a.operands[1].as<float>()[a.operands[1].count() == 1 ? 0 : channel];
  }
  std::int64_t channels() const { return fitted_[1].tensor.count(); }
  std::int64_t length() const { return fitted_[0].tensor.count() / channels(); }

  ir::ChannelFit fit_of(const Arguments& a, std::int64_t channel) const {
    const auto of_channel = [&](std::size_t operand) {
      const float* values = operand < own_operands_ ? a.operands[operand].as<float>() : nullptr;
      return values == nullptr ? nullptr : values + channel;
    };
    const float* factor = of_channel(3);
    return ir::fit_channel({a.operands[0].as<std::int8_t>() + channel * length(), static_cast<std::size_t>(length())},
                           weight_scale(a, channel), *a.operands[2].as<float>(), factor == nullptr ? 1 : *factor, of_channel(4));
  }

  bool fit_all(const Arguments& a) const {
    const auto operand = [&](std::size_t i) { return i < own_operands_ ? a.operands[i].as<const float>() : nullptr; };
    const Fit fit{a.operands[0].as<const std::int8_t>(),
                  length(),
                  operand(1),
                  a.operands[1].count() == 1 ? 0 : 1,
                  *operand(2),
                  operand(3),
                  operand(4),
                  fitted_[1].tensor.as<float>(),
                  fitted_[2].tensor.as<float>(),
                  fitted_[3].tensor.as<std::int32_t>(),
                  fitted_[4].tensor.as<float>()};
    std::atomic<bool> same = true;
    for_elements(channels(), a.threads, [&](std::int64_t first, std::int64_t last) {
      if (!fit_parameters(fit, first, last)) same = false;
    });
    return same;
  }

  void fit_weights(const Arguments& a) const {
    for_pieces(channels(), 1, elements_of_piece / std::max<std::int64_t>(length(), 1), a.threads,
               [&](std::int64_t first, std::int64_t last) {
                 for (std::int64_t c = first; c < last; ++c) {
                   const ir::ChannelFit fit = fit_of(a, c);
                   const std::int8_t* q = a.operands[0].as<std::int8_t>() + c * length();
                   std::int8_t* weight = fitted_[0].tensor.as<std::int8_t>() + c * length();
                   if (fit.sign == 1 && fit.exponent == 0) {
                     if (weight != q) std::copy_n(q, length(), weight);
                   } else {
                     for (std::int64_t i = 0; i < length(); ++i) weight[i] = fit.weight(q[i]);
                   }
                 }
               });
  }

  std::unique_ptr<Kernel> layer_;  // nullptr: fit_channels alone
  std::string description_;
  std::size_t own_operands_ = 0, own_results_ = 0;  // of fit_channels: the layer's lie behind them
  std::array<Fitted, 5> fitted_;
  std::vector<ir::TensorView> layer_operands_;
  std::vector<std::size_t> layer_reads_;  // by operand of the layer: which of the fitted values; 5: none
  std::size_t scratch_bytes_ = 0;
};

Answer accepts_fit_channels(const ir::Graph&, const ir::Node&) {
  return Answer::can();
}

std::vector<ir::NodeId> group_fit_channels(const Kernels&, const ir::Graph& graph, const ir::Uses& uses, ir::NodeId first,
                                           const std::function<bool(ir::NodeId)>& free) {
  const ir::NodeId* layer = only_reader(uses, graph.node(first).results[0], free);
  if (layer == nullptr || graph.node(*layer).op->name != "linear_integer") return {first};
  std::vector<ir::NodeId> nodes = fuse(graph, uses, *layer, free);
  nodes.insert(nodes.begin(), first);
  return readers_follow(graph, uses, nodes) ? nodes : std::vector{first};
}

std::unique_ptr<Kernel> prepare_fit_channels(const Kernels& kernels, const ir::Graph& graph, std::span<const ir::NodeId> nodes,
                                             Constants constants) {
  auto layer = nodes.size() == 1 ? nullptr : prepare_linear(kernels, graph, nodes.subspan(1), constants);
  return std::make_unique<FitChannelsKernel>(graph, nodes, std::move(layer));
}

}  // namespace

void fit_channels(NodeKernels& kernels) {
  kernels.add("fit_channels", {accepts_fit_channels, prepare_fit_channels, group_fit_channels});
}

}  // namespace stair::backends::int8

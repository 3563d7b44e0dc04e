#include "ir/ops/loss.h"

namespace stair::ir::ops {

void cross_entropy(OpRegistry& registry) {
  add_class_loss(registry, "cross_entropy", "mean over the batch of -sum over c of t[c] * log_softmax(x)[c]",
                 "(softmax(x) - t) * dloss / N",
                 {{"label_smoothing", "share of the target spread over all classes (Szegedy 2016, section 7)", 0.0, false, within(0, 1)}});
}

}  // namespace stair::ir::ops

#include "passes/loss.h"

#include <utility>

namespace stair::passes {

const ir::AttributeSpec& loss_spec() {
  static const ir::AttributeSpec spec{.name = "loss",
                                      .doc = "what training makes small: the mean over the images of a batch",
                                      .fallback = ir::Object({{"kind", std::string("cross_entropy")}}),
                                      .kinds = [] { return ir::kinds_of(losses()); }};
  return spec;
}

ir::ValueId LossContext::emit(const char* op, ir::ValueId target, ir::Attributes attributes) const {
  return graph.emit(op, {logits, target}, std::move(attributes), graph.derived("", "loss"));
}

}  // namespace stair::passes

#include "passes/loss.h"

#include <utility>

namespace stair::passes {

namespace losses_ {
void register_all(LossRegistry& registry);  // generated from the files of passes/losses
}

const LossRegistry& losses() {
  static const LossRegistry all = ir::filled(losses_::register_all);
  return all;
}

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

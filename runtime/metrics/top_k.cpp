#include "runtime/metrics/classes.h"

namespace stair::runtime::metrics_ {
namespace {

Metric among_largest(std::string name, std::vector<ir::AttributeSpec> attributes, std::int64_t k) {
  return {.name = std::move(name),
          .summary = "share of the labels whose output is among the k largest; of equals the first are larger",
          .attributes = std::move(attributes),
          .expects = expects_classes,
          .counts = [](const Measured&) -> std::int64_t { return 2; },
          .add =
              [k](const Measured& all, const Evaluated& some, Counts& into) {
                const std::int64_t most = all.options.has("k") ? all.options.integer("k") : k;
                for_each_label(some, [&](const Logits& logits, std::int32_t label) {
                  std::int64_t before = 0;
                  for (std::int64_t c = 0; c < classes_of(all); ++c)
                    before += logits[c] > logits[label] || (logits[c] == logits[label] && c < label) ? 1 : 0;
                  into[0] += before < most ? 1 : 0;
                  ++into[1];
                });
              },
          .finish = share};
}

}  // namespace

void top_k(MetricRegistry& registry) {
  registry.add(among_largest(
      "top_k", {{.name = "k", .doc = "how many outputs count", .fallback = std::int64_t{5}, .bounds = ir::within(1, 1e6)}}, 0));
  registry.add(among_largest("top_5", {}, 5));
}

}  // namespace stair::runtime::metrics_

#include "passes/schedule.h"

#include <cmath>
#include <utility>

namespace stair::passes {

const ir::AttributeSpec& schedule_spec() {
  static const ir::AttributeSpec spec{.name = "schedule",
                                      .doc = "how the learning rate goes over the stage",
                                      .fallback = ir::Object({{"kind", std::string("constant")}}),
                                      .members = {{.name = "warmup_epochs",
                                                   .doc = "in which the rate rises linearly; the schedule starts behind them",
                                                   .fallback = 0.0,
                                                   .bounds = ir::within(0, 1e6)}},
                                      .kinds = [] { return ir::kinds_of(schedules()); }};
  return spec;
}

bool goes_by_length(const ir::Attributes& schedule) {
  const auto attributes = [&](std::int64_t epochs) {
    ir::Graph graph;
    ir::State counter;
    counter.role = ir::StateRole::counter;
    const ir::ValueId step = graph.add_state("step", {ir::DType::i64, {1}}, counter);
    const ir::ValueId rate = schedules().named(schedule.text("kind"), "schedule").rate({graph, schedule, step, 1, epochs, 1});
    return graph.producer(rate)->attributes;
  };
  return attributes(1'000'000) != attributes(2'000'000);
}

std::int64_t ScheduleContext::steps(double epoch_count) const {
  return std::llround(epoch_count * static_cast<double>(steps_per_epoch));
}

ir::ValueId ScheduleContext::emit(const std::string& kind, ir::Attributes attributes) const {
  attributes.set("kind", kind);
  attributes.set("base", learning_rate);
  attributes.set("warmup_steps", steps(options.number("warmup_epochs")));
  return graph.emit("learning_rate", {step}, std::move(attributes), graph.derived("", "learning_rate"));
}

}  // namespace stair::passes

#include "runtime/trainer.h"

#include "runtime/clock.h"
#include "runtime/prefetch.h"

namespace stair::runtime {

bool TrainingLoop::run(Batches& batches, TrainingState& state) const {
  const std::int64_t per_epoch = batches.training_batches() / shards;
  const std::int64_t batch = batches.size() * shards;
  const std::int64_t steps = per_epoch * epochs;
  // Steps in order, and in each the shards of this process in order.
  const std::int64_t first = state.step;
  const std::int64_t rounds = shards / communicator->size();
  const std::int64_t processes = communicator->size();
  const std::int64_t rank = communicator->rank();
  Prefetch ahead(batches, (steps - first) * rounds, [=, this](std::int64_t n) {
    const std::int64_t step = first + n / rounds;
    return Prefetch::Place{step / per_epoch, step % per_epoch * shards + n % rounds * processes + rank};
  });
  const bool several = losses.size() > 1;
  state.sums.resize(several ? losses.size() : 0);
  double training_seconds = 0;
  std::int64_t steps_here = 0;
  double epoch_seconds = 0;
  if (enough && state.step % per_epoch == 0 && state.step > 0 && enough(state.step)) return true;
  while (state.step < steps) {
    const Clock::time_point start = Clock::now();
    const std::int64_t epoch = state.step / per_epoch;
    const std::int64_t index = state.step % per_epoch;
    Step& trains = program(state.step);
    trains.run(ahead, state.step, epoch);
    ++state.step;
    ++steps_here;
    state.loss_sum += static_cast<double>(*trains.output("loss").as<float>());
    for (std::size_t i = 0; i < losses.size(); ++i) {
      const TrainedLoss& loss = losses[i];
      if (several) state.sums[i].loss += static_cast<double>(*trains.output(loss.says).as<float>());
      if (loss.labels > 0) (several ? state.sums[i].correct : state.correct) += *trains.output(loss.met).as<std::int32_t>();
    }
    const double seconds = seconds_since(start);
    training_seconds += seconds;
    epoch_seconds += seconds;

    Progress progress;
    progress.step = state.step;
    progress.steps = steps;
    progress.epoch = epoch;
    progress.epochs = epochs;
    progress.batch = batch;
    progress.loss = state.loss_sum / static_cast<double>(index + 1);
    const auto share = [&](std::int64_t correct, const TrainedLoss& of) -> std::optional<double> {
      if (of.labels == 0) return std::nullopt;
      return static_cast<double>(correct) / static_cast<double>((index + 1) * batch * of.labels);
    };
    if (!several) progress.accuracy = share(state.correct, losses.front());
    for (std::size_t i = 0; i < state.sums.size(); ++i) {
      const LossSums& sums = state.sums[i];
      progress.parts.push_back({losses[i].output, sums.loss / static_cast<double>(index + 1), share(sums.correct, losses[i])});
    }
    progress.learning_rate = static_cast<double>(*trains.output("learning_rate").as<float>());
    progress.images_per_s = static_cast<double>(steps_here * batch) / training_seconds;
    progress.epoch_ended = index + 1 == per_epoch;
    report(progress);
    if (progress.epoch_ended) {
      epoch_end(progress, epoch_seconds);
      epoch_seconds = 0;
      state.loss_sum = 0;
      state.correct = 0;
      state.sums.assign(state.sums.size(), {});
    }
    const bool stop = communicator->max(interrupted() ? 1 : 0) > 0;
    if (stop || progress.epoch_ended || (checkpoint_every > 0 && state.step % checkpoint_every == 0)) save(state);
    if (stop && state.step < steps) return false;
    if (progress.epoch_ended && enough && enough(state.step)) return true;
  }
  return true;
}

}  // namespace stair::runtime

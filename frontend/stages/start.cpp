#include "frontend/stages/start.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "frontend/readers/trained.h"
#include "ir/error.h"
#include "passes/recipe.h"
#include "runtime/finite.h"

namespace stair::stages {
namespace {

class Starting {
 public:
  Starting(const readers::Experiment& experiment, runtime::Tensors& states)
      : start_(experiment.start), source_(experiment.source), there_(readers::load_states(start_.checkpoint)), states_(states) {
    if (!start_.chooses) readers::check_holds(there_, experiment.model, start_.checkpoint);
    for (std::size_t i = 0; i < start_.rename.size(); ++i) {
      const std::string& from = start_.rename[i].first;
      const auto begins = [&](const auto& named) { return named.first.starts_with(from); };
      if (std::any_of(there_.begin(), there_.end(), begins)) continue;
      throw Error(fmt::format("{} /start/rename/{}/from: found '{}', with which no tensor of {} begins{}", source_, i, from,
                              start_.checkpoint, did_you_mean(from, names())));
    }
  }

  void take(const ir::Graph& graph, const ir::State& state, bool is_range) {
    const ir::Value& value = graph.value(state.value);
    if (states_.contains(value.name)) return;
    const auto it = there_.find(name_there(value.name));
    if (!wanted(value.name) || (it == there_.end() && is_range)) return;
    if (it == there_.end()) return leave(value.name, "not there");
    if (it->second.type() != value.type)
      return leave(value.name, fmt::format("{} there, {} here", to_string(it->second.type()), to_string(value.type)));
    if (!is_range) runtime::check_finite(it->second.view(), start_.checkpoint + ": tensor '" + it->first + "'");
    started_.taken.push_back(value.name);
    states_.emplace(value.name, it->second.clone());
  }

  Started finish() const {
    for (std::size_t i = 0; i < start_.take.size(); ++i) {
      const auto fits = [&](const std::string& name) { return passes::matches_pattern(start_.take[i], name); };
      if (std::any_of(started_.taken.begin(), started_.taken.end(), fits)) continue;
      throw Error(fmt::format("{} /start/take/{}: found '{}', which takes nothing of {}{}", source_, i, start_.take[i], start_.checkpoint,
                              started_.left.empty() ? "" : fmt::format("; left are {}", fmt::join(started_.left, ", "))));
    }
    return started_;
  }

 private:
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& [name, tensor] : there_) all.push_back(name);
    return all;
  }

  // The first renaming that fits, read backwards: a name here that begins with `to` began with `from` there.
  std::string name_there(const std::string& name) const {
    for (const auto& [from, to] : start_.rename) {
      if (name.starts_with(to)) return from + name.substr(to.size());
    }
    return name;
  }

  bool wanted(const std::string& name) const {
    return std::any_of(start_.take.begin(), start_.take.end(),
                       [&](const std::string& pattern) { return passes::matches_pattern(pattern, name); });
  }

  void leave(const std::string& name, const std::string& reason) { started_.left.push_back(fmt::format("{} ({})", name, reason)); }

  const readers::Start& start_;
  const std::string& source_;
  runtime::Tensors there_;
  runtime::Tensors& states_;
  Started started_;
};

}  // namespace

Started take_start(const readers::Experiment& experiment, const ir::Graph& watching, runtime::Tensors& states) {
  Starting starting(experiment, states);
  for (const ir::State& state : experiment.model.states()) starting.take(experiment.model, state, false);
  for (const ir::State& state : watching.states()) {
    if (state.role == ir::StateRole::observer) starting.take(watching, state, true);
  }
  return starting.finish();
}

std::string describe(const Started& started, const std::string& checkpoint) {
  constexpr std::size_t shown = 8;
  std::vector<std::string> left(started.left.begin(),
                                started.left.begin() + static_cast<std::ptrdiff_t>(std::min(shown, started.left.size())));
  if (started.left.size() > shown) left.push_back(fmt::format("and {} more", started.left.size() - shown));
  return fmt::format("start: took {} tensors of {}{}\n", started.taken.size(), checkpoint,
                     left.empty() ? "" : fmt::format("; begin anew: {}", fmt::join(left, ", ")));
}

}  // namespace stair::stages

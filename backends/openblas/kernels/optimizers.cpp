#include <algorithm>
#include <cmath>
#include <initializer_list>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "backends/finite.h"
#include "backends/multiversion.h"
#include "backends/openblas/accepts.h"
#include "backends/openblas/parallel.h"

namespace stair::backends::openblas {
namespace {

STAIR_MULTIVERSION void sgd_step(const float* w, const float* g, float rate, float decay, float* y, std::int64_t count) {
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) y[i] = w[i] - rate * (g[i] + decay * w[i]);
}

STAIR_MULTIVERSION void momentum_step(const float* w, const float* g, const float* v, float rate, float decay, float momentum,
                                      bool nesterov, float* new_w, float* new_v, std::int64_t count) {
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) {
    const float gradient = g[i] + decay * w[i];
    const float velocity = momentum * v[i] + gradient;
    const float ahead = gradient + momentum * velocity;
    new_w[i] = w[i] - rate * (nesterov ? ahead : velocity);
    new_v[i] = velocity;
  }
}

struct Adam {
  float rate, decay, b1, b2, rest1, rest2, step, correction2, eps;
  bool decoupled;
};

STAIR_MULTIVERSION void adam_moments(const Adam& p, const float* w, const float* g, const float* m, const float* v, float* new_m,
                                     float* new_v, std::int64_t count) {
  const float decay = p.decay;
  const bool decoupled = p.decoupled;
  const float b1 = p.b1;
  const float b2 = p.b2;
  const float rest1 = p.rest1;
  const float rest2 = p.rest2;
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) {
    const float coupled = decay * w[i];
    const float gradient = g[i] + (decoupled ? 0.0F : coupled);
    new_m[i] = b1 * m[i] + rest1 * gradient;
    new_v[i] = b2 * v[i] + rest2 * gradient * gradient;
  }
}

// std::sqrt may set errno, which keeps compilers from making a vector instruction of it; both round correctly.
void roots(const float* x, float* y, std::int64_t count) {
  std::int64_t i = 0;
#if defined(__SSE2__)
  for (; i + 4 <= count; i += 4) _mm_storeu_ps(y + i, _mm_sqrt_ps(_mm_loadu_ps(x + i)));
#endif
  for (; i < count; ++i) y[i] = std::sqrt(x[i]);
}

STAIR_MULTIVERSION void adam_update(const Adam& p, const float* w, const float* m, const float* root, float* new_w, std::int64_t count) {
  const float shrink = p.rate * p.decay;
  const bool decoupled = p.decoupled;
  const float step = p.step;
  const float correction2 = p.correction2;
  const float eps = p.eps;
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) {
    const float shrunk = w[i] - shrink * w[i];
    new_w[i] = (decoupled ? shrunk : w[i]) - step * m[i] / (root[i] / correction2 + eps);
  }
}

STAIR_MULTIVERSION void average_step(const float* running, const float* w, float share, float* y, std::int64_t count) {
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) y[i] = running[i] + share * (w[i] - running[i]);
}

// As std::min(std::max(x, low), high), NaN included.
STAIR_MULTIVERSION void clip_to(const float* x, float low, float high, float* y, std::int64_t count) {
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) {
    const float raised = x[i] < low ? low : x[i];
    y[i] = high < raised ? high : raised;
  }
}

constexpr std::int64_t update_part = 1024;

// Calls update(first, count) for parts of the results that are still in the first-level cache when they are looked at (N-FINITE): to read
// them again from memory would take a good part of the time of the update. `telling`: the results of which one isn't finite where any
// isn't.
template <class Update>
void update_watching(const Arguments& a, std::initializer_list<std::size_t> telling, const Update& update) {
  for_pieces(a.results[0].count(), a.threads, [&](std::int64_t, std::int64_t first, std::int64_t last) {
    bool finite = true;
    for (std::int64_t i = first; i < last; i += update_part) {
      const std::int64_t count = std::min(update_part, last - i);
      update(i, count);
      for (const std::size_t result : telling) finite = finite && all_finite(a.results[result].as<float>() + i, count);
    }
    if (!finite && a.not_finite != nullptr) a.not_finite->store(true, std::memory_order_relaxed);
  });
}

void run_sgd(const ir::Node& node, const Arguments& a) {
  const auto decay = static_cast<float>(node.attributes.number("weight_decay"));
  update_watching(a, {0}, [&](std::int64_t first, std::int64_t count) {
    sgd_step(a.operands[0].as<float>() + first, a.operands[1].as<float>() + first, *a.operands[2].as<float>(), decay,
             a.results[0].as<float>() + first, count);
  });
}

void run_sgd_momentum(const ir::Node& node, const Arguments& a) {
  const auto decay = static_cast<float>(node.attributes.number("weight_decay"));
  const auto momentum = static_cast<float>(node.attributes.number("momentum"));
  const bool nesterov = node.attributes.boolean("nesterov");
  // What isn't finite of the velocity goes into the weights.
  update_watching(a, {0}, [&](std::int64_t first, std::int64_t count) {
    momentum_step(a.operands[0].as<float>() + first, a.operands[1].as<float>() + first, a.operands[3].as<float>() + first,
                  *a.operands[2].as<float>(), decay, momentum, nesterov, a.results[0].as<float>() + first, a.results[1].as<float>() + first,
                  count);
  });
}

void run_adam(const ir::Node& node, const Arguments& a) {
  const double beta1 = node.attributes.number("beta1");
  const double beta2 = node.attributes.number("beta2");
  const auto t = static_cast<double>(*a.operands[5].as<std::int64_t>()) + 1;
  const float rate = *a.operands[2].as<float>();
  const Adam adam{rate,
                  static_cast<float>(node.attributes.number("weight_decay")),
                  static_cast<float>(beta1),
                  static_cast<float>(beta2),
                  static_cast<float>(1 - beta1),
                  static_cast<float>(1 - beta2),
                  rate / static_cast<float>(1 - std::pow(beta1, t)),
                  static_cast<float>(std::sqrt(1 - std::pow(beta2, t))),
                  static_cast<float>(node.attributes.number("eps")),
                  node.attributes.boolean("decoupled")};
  // A second moment that is infinite leaves the weights as they are; a first moment that isn't finite doesn't.
  update_watching(a, {0, 2}, [&](std::int64_t first, std::int64_t count) {
    const float* w = a.operands[0].as<float>() + first;
    float* m = a.results[1].as<float>() + first;
    float* v = a.results[2].as<float>() + first;
    float root[update_part];
    adam_moments(adam, w, a.operands[1].as<float>() + first, a.operands[3].as<float>() + first, a.operands[4].as<float>() + first, m, v,
                 count);
    roots(v, root, count);
    adam_update(adam, w, m, root, a.results[0].as<float>() + first, count);
  });
}

void run_weight_average(const ir::Node& node, const Arguments& a) {
  const auto t = static_cast<double>(*a.operands[2].as<std::int64_t>()) + 1;
  const auto share = static_cast<float>(1 - std::min(node.attributes.number("decay"), (1 + t) / (10 + t)));
  update_watching(a, {0}, [&](std::int64_t first, std::int64_t count) {
    average_step(a.operands[0].as<float>() + first, a.operands[1].as<float>() + first, share, a.results[0].as<float>() + first, count);
  });
}

void run_clip(const ir::Node& node, const Arguments& a) {
  const auto low = static_cast<float>(node.attributes.number("low"));
  const auto high = static_cast<float>(node.attributes.number("high"));
  update_watching(a, {0}, [&](std::int64_t first, std::int64_t count) {
    clip_to(a.operands[0].as<float>() + first, low, high, a.results[0].as<float>() + first, count);
  });
}

}  // namespace

void optimizers(FunctionKernels& kernels) {
  const auto add = [&](const char* op, FunctionKernels::Function function) {
    kernels.add(op, {.function = function, .description = "vector loops", .accepts = not_double, .watches = true});
  };
  add("sgd", run_sgd);
  add("sgd_momentum", run_sgd_momentum);
  add("adam", run_adam);
  add("clip", run_clip);
  add("weight_average", run_weight_average);
}

}  // namespace stair::backends::openblas

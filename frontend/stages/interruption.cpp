#include "frontend/stages/interruption.h"

#include <atomic>
#include <csignal>

namespace stair::stages {
namespace {

std::atomic<bool> interrupt_asked = false;
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler writes it");

}  // namespace

void stop_on_signals() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const auto before = std::signal(signal, [](int caught) {
      interrupt_asked = true;
      std::signal(caught, SIG_DFL);
    });
    if (signal == SIGHUP && before == SIG_IGN) std::signal(signal, SIG_IGN);
  }
}

bool interruption_asked() {
  return interrupt_asked;
}

}  // namespace stair::stages

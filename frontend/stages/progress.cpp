#include "frontend/stages/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <optional>
#include <utility>

namespace stair::stages {
namespace {

std::string clock_text(double seconds) {
  const long whole = std::lround(seconds);
  if (whole >= 3600) return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

std::string text_of(const std::string& stage, const runtime::Progress& p) {
  const auto accuracy = [](const std::optional<double>& share) { return share ? fmt::format("  accuracy {:.2f} %", 100 * *share) : ""; };
  std::string parts = accuracy(p.accuracy);
  for (const runtime::Progress::Part& part : p.parts)
    parts += fmt::format("  {} {:.4f}{}", part.output, part.loss, accuracy(part.accuracy));
  return fmt::format("{} epoch {}/{}  step {}/{}  loss {:.4f}{}  {:.0f} images/s", stage, p.epoch + 1, p.epochs, p.step, p.steps, p.loss,
                     parts, p.images_per_s);
}

// A line that wrapped couldn't be written over: it is cut at the terminal's width.
std::string fitting(std::string text) {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && text.size() >= size.ws_col) text.resize(size.ws_col - 1U);
  return text;
}

}  // namespace

ProgressLine::ProgressLine(std::string stage, bool quiet)
    : stage_(std::move(stage)), quiet_(quiet), terminal_(isatty(STDOUT_FILENO) != 0) {}

void ProgressLine::show(const runtime::Progress& progress) {
  const double wait = terminal_ ? 0.1 : 10;
  if (quiet_ || progress.epoch_ended || runtime::seconds_since(last_shown_) < wait) return;
  last_shown_ = runtime::Clock::now();
  const double images = progress.step > 0 ? static_cast<double>(progress.steps - progress.step) : 0;
  const double per_step = progress.batch > 0 ? static_cast<double>(progress.batch) / progress.images_per_s : 0;
  const std::string text = text_of(stage_, progress) + fmt::format("  {} left", clock_text(images * per_step));
  if (terminal_) {
    fmt::print("\r\033[K{}", fitting(text));
  } else {
    fmt::print("{}\n", text);
  }
  std::fflush(stdout);
}

void ProgressLine::finish_epoch(const runtime::Progress& progress, const char* part, const std::string& value) {
  if (quiet_) return;
  last_shown_ = runtime::Clock::now();
  fmt::print("{}{}  {} {}\n", terminal_ ? "\r\033[K" : "", text_of(stage_, progress), part, value);
  std::fflush(stdout);
}

}  // namespace stair::stages

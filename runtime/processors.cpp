#include "runtime/processors.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <thread>

namespace stair::runtime {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

// "max 100000" and a quota of -1 set no limit: they are no positive numbers.
std::optional<double> ratio(const std::string& quota_and_period) {
  std::istringstream in(quota_and_period);
  double quota = 0;
  double period = 0;
  if (!(in >> quota >> period) || quota <= 0 || period <= 0) return std::nullopt;
  return quota / period;
}

bool has_controller(std::string_view list, std::string_view name) {
  std::istringstream in{std::string(list)};
  for (std::string each; std::getline(in, each, ',');) {
    if (each == name) return true;
  }
  return false;
}

}  // namespace

std::optional<double> processor_quota(std::string_view groups, const fs::path& root) {
  std::optional<double> least;
  std::istringstream lines{std::string(groups)};
  for (std::string line; std::getline(lines, line);) {  // ID:CONTROLLERS:PATH, none of version 2
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (!controllers.empty() && !has_controller(controllers, "cpu")) continue;
    const fs::path top = root / controllers;
    fs::path group = fs::path(line.substr(second + 1)).relative_path();
    for (bool more = true; more; group = group.parent_path()) {
      more = !group.empty();
      const fs::path folder = top / group;
      const std::optional<double> quota = ratio(
          controllers.empty() ? text_of(folder / "cpu.max") : text_of(folder / "cpu.cfs_quota_us") + text_of(folder / "cpu.cfs_period_us"));
      if (quota) least = std::min(*quota, least.value_or(*quota));
    }
  }
  return least;
}

int usable_processors(int processes) {
  const double allowed = allowed_processors();
  const double all = std::max<double>(allowed, std::thread::hardware_concurrency());
  const std::optional<double> quota = processor_quota(text_of("/proc/self/cgroup"), "/sys/fs/cgroup");
  const double part = std::min(all, std::ceil(quota.value_or(all))) / processes;
  return static_cast<int>(std::clamp(part, 1.0, allowed));
}

}  // namespace stair::runtime

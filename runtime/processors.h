#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "backends/parallel_for.h"

namespace stair::runtime {

using backends::allowed_processors;

/// How many threads pay in each of `processes` on this machine: the processors that the process may run on, but no more than its part of
/// all of them, nor of the time that its control groups allow, as a container's limit does (rounded up: 1.5 processors are two threads).
/// At least 1.
int usable_processors(int processes = 1);

/// The processors' time that control groups allow at most, in processors; none where they set no limit. `groups` is the text of
/// /proc/self/cgroup, `root` where their files are mounted. Of version 2 each group's cpu.max counts, from the process's up to the root; of
/// version 1 cpu.cfs_quota_us and cpu.cfs_period_us of the controller cpu. What isn't there or isn't as expected sets no limit.
std::optional<double> processor_quota(std::string_view groups, const std::filesystem::path& root);

}  // namespace stair::runtime

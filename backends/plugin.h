#pragma once

#include <string>
#include <vector>

#include "backends/backend.h"

namespace stair::backends {

/// Loads a plug-in: a shared library that follows backends/stair_plugin.h. From then on all() begins with it (behind plug-ins that were
/// loaded earlier), and it stays until the process ends. The same file again is no second plug-in. Error "FILE: found …, expected …" where
/// it can't be loaded, is of another version, or isn't as the header says. Not to be called while graphs are compiled or run.
const Backend& load_plugin(const std::string& file);

/// The loaded ones, in the order of their loading.
std::vector<const Backend*> plugins();

}  // namespace stair::backends

#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace stair::driver {

/// What is wrong with a command line, in one line, with the nearest name of a command or flag.
std::string usage_error(const CLI::App& app, const CLI::ParseError& error, const std::vector<std::string>& arguments);

}  // namespace stair::driver

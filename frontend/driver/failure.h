#pragma once

#include <string>

namespace stair::driver {

/// Prints "stair: MESSAGE" to stderr, in one line whatever the names in it are made of. Returns the code.
int complain(std::string message, int code);

/// The same of the exception that is being handled; returns the exit code that belongs to it.
int complain();

}  // namespace stair::driver

#pragma once

namespace stair::driver {

/// The driver `stair`: parses the command line, runs the subcommand and turns errors into one line on stderr and an exit code: 0 fine, 1
/// the checked thing does not hold, 2 bad input or usage, 70 an internal error.
int run(int argc, char** argv);

}  // namespace stair::driver

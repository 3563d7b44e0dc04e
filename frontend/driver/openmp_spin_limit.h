#pragma once

namespace stair::driver {

/// Limits how long a thread of GNU's OpenMP library spins before it sleeps, where the user says nothing about it (GOMP_SPINCOUNT,
/// OMP_WAIT_POLICY): to about the time that waking a thread takes. Then waiting costs at most twice what the better of spinning and
/// sleeping would. The library's own limit is dozens of times that; where another program takes one of the cores, a team of as many threads
/// as cores runs at a tenth of its speed, since threads spin where those they wait for would run.
///
/// The library reads its environment when it is loaded, before main. So this starts the program anew with the variable set, in the same
/// process: call it first in main, with main's argv. Where that can't be done (the program was started by an emulator, or by a dynamic
/// linker on the command line), the library's limit stays.
void limit_spinning(char** argv);

}  // namespace stair::driver

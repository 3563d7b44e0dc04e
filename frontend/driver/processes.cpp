#include "frontend/driver/processes.h"

#include <cstdio>
#include <memory>

#include "frontend/driver/failure.h"

namespace stair::driver {
namespace {

// 0 from the processes that have nothing to say: mpirun stops the others when it sees another code, and the first may still be speaking.
constexpr int silent = 0;

}  // namespace

int in_processes(const std::function<int(runtime::Communicator&)>& command) {
  std::unique_ptr<runtime::Communicator> processes;
  try {
    processes = runtime::connect();
  } catch (const Error&) {
    if (runtime::launch().rank > 0) return silent;
    throw;
  }
  if (processes == nullptr) return command(runtime::alone());
  try {
    const int code = command(*processes);
    return processes->leads() ? code : silent;
  } catch (const runtime::SharedError&) {
    if (processes->leads()) throw;
    return silent;
  } catch (const runtime::SharedInternalError&) {
    if (processes->leads()) throw;
    return silent;
  } catch (...) {
    std::fflush(stdout);
    const int code = complain();
    processes->abort(code);
    return code;
  }
}

}  // namespace stair::driver

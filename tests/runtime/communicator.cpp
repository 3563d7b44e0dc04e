#include "runtime/communicator.h"

#include <doctest/doctest.h>

#include <new>
#include <string>
#include <vector>

#include "tests/runtime/support.h"
#include "tests/runtime/threads_communicator.h"

using namespace stair;
using runtime::Communicator;
using runtime::together;

namespace {

// What each of three processes gets to hear where `part` runs in all.
std::vector<std::string> heard(const std::function<void(int rank)>& part) {
  std::vector<std::string> all(3);
  tests::with_processes(3, [&](Communicator& communicator) {
    std::string& mine = all[static_cast<std::size_t>(communicator.rank())];
    try {
      together(communicator, [&] { part(communicator.rank()); });
      mine = "nothing";
    } catch (const runtime::SharedError& error) {
      mine = std::string("error: ") + error.what();
    } catch (const runtime::SharedInternalError& error) {
      mine = std::string("internal error: ") + error.what();
    }
  });
  return all;
}

using Three = std::vector<std::string>;

}  // namespace

TEST_CASE("where one process fails, all throw its error; of several the first one's") {
  CHECK(heard([](int) {}) == Three(3, "nothing"));
  for (const int failing : {0, 1, 2}) {
    const auto fail = [&](int rank) {
      if (rank == failing) throw Error("file " + std::to_string(rank));
    };
    CHECK(heard(fail) == Three(3, "error: file " + std::to_string(failing)));
  }
  const auto last_two = [](int rank) {
    if (rank == 1) throw InternalError("one");
    if (rank == 2) throw Error("two");
  };
  CHECK(heard(last_two) == Three(3, "internal error: one"));
  const auto no_memory = [](int rank) {
    if (rank == 2) throw std::bad_alloc();
  };
  CHECK(heard(no_memory)[0].starts_with("error: out of memory"));
}

TEST_CASE("one process alone throws what was thrown") {
  CHECK(tests::error_of([] { together(runtime::alone(), [] { throw Error("as it is"); }); }) == "as it is");
  CHECK_THROWS_AS(together(runtime::alone(), [] { throw std::bad_alloc(); }), std::bad_alloc);
  CHECK(runtime::alone().size() == 1);
  CHECK(runtime::alone().leads());
  CHECK(runtime::connect() == nullptr);
}

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>

#include "tests/frontend/process.h"
#include "tests/frontend/small_experiment.h"

using namespace stair;

namespace {

// A terminal of so many columns, and what has been written to it.
class Terminal {
 public:
  explicit Terminal(unsigned short columns) : master_(::posix_openpt(O_RDWR | O_NOCTTY)) {
    if (master_ < 0 || ::grantpt(master_) != 0 || ::unlockpt(master_) != 0) return;
    name_ = ::ptsname(master_);
    slave_ = ::open(name_.c_str(), O_RDWR | O_NOCTTY);  // held open: what is written stays readable
    if (!there()) return;
    const winsize size{24, columns, 0, 0};
    REQUIRE(::ioctl(slave_, TIOCSWINSZ, &size) == 0);
  }
  ~Terminal() {
    ::close(slave_);
    ::close(master_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  // A machine may have none to give.
  bool there() const { return slave_ >= 0; }
  const std::string& name() const { return name_; }
  // All that was written so far, after waiting a moment for more.
  const std::string& text() {
    pollfd ready{master_, POLLIN, 0};
    while (::poll(&ready, 1, 20) > 0) {
      char bytes[4096];
      const ssize_t count = ::read(master_, bytes, sizeof(bytes));
      if (count <= 0) break;
      text_.append(bytes, static_cast<std::size_t>(count));
    }
    return text_;
  }

 private:
  int master_, slave_ = -1;
  std::string name_, text_;
};

constexpr const char* begin_again = "\r\033[K";

}  // namespace

TEST_CASE("on a terminal the progress line is written over itself, never wider than the terminal") {
  const tests::TemporaryFolder folder;
  tests::write_experiment(folder);
  tests::write_pictures(folder, "train", 20'000);  // an epoch that lasts
  Terminal terminal(40);
  if (!terminal.there()) {
    MESSAGE("not tested: this machine gives no terminals");
    return;
  }
  tests::Process process({"train", "exp.json", "--run", "run", "--threads", "1", "--set", "batch=1"}, folder.path(),
                         {.stdout_to = terminal.name()});
  // The line of an epoch ends with a line break; of what is written over, a part before the next beginning doesn't.
  std::size_t first = std::string::npos;
  for (int tries = 0; tries < 2000 && first == std::string::npos && process.running(); ++tries) {
    const std::string& text = terminal.text();
    for (std::size_t at = text.find(begin_again); at != std::string::npos && first == std::string::npos;) {
      const std::size_t next = text.find(begin_again, at + 1);
      if (next != std::string::npos && text.find('\n', at) > next) first = at;
      at = next;
    }
  }
  process.send(SIGINT);
  while (process.running()) terminal.text();
  process.wait();
  const std::string text = terminal.text();
  REQUIRE(first != std::string::npos);
  const std::string line = text.substr(first + 4, text.find(begin_again, first + 1) - first - 4);
  CAPTURE(line);
  CHECK(line.starts_with("float epoch "));
  CHECK(line.size() == 39);
}

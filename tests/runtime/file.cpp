#include "runtime/file.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "runtime/checkpoint.h"
#include "runtime/folder_lock.h"
#include "tests/runtime/support.h"

using namespace stair;
using tests::error_of;

namespace {

// What the action yields in a process of its own, whose limits and rights it may lower.
std::string in_child(const std::function<std::string()>& action) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const std::string text = action();
    _exit(::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : 1);
  }
  ::close(ends[1]);
  std::string text;
  char block[4096];
  for (ssize_t count = 0; (count = ::read(ends[0], block, sizeof block)) > 0;) text.append(block, static_cast<std::size_t>(count));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
  return text;
}

// As on a full disk: a write goes as far as there is room and fails then.
void limit_file_size(std::size_t bytes) {
  ::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{bytes, bytes};
  ::setrlimit(RLIMIT_FSIZE, &limit);
}

}  // namespace

TEST_CASE("a file is replaced whole, and nothing stays beside it") {
  const tests::TemporaryFolder folder;
  const std::string path = folder / "f";
  std::string all;
  for (int i = 0; i < 300000; ++i) all += static_cast<char>(i * 7);
  for (const std::string& bytes : {all, std::string("short"), std::string()}) {
    runtime::write_file(path, bytes);
    CHECK(tests::get(path) == bytes);
    CHECK(runtime::read_file(path) == bytes);
    CHECK(folder.files() == 1);
  }
}

TEST_CASE("who has the old file open keeps reading it") {
  const tests::TemporaryFolder folder;
  const std::string path = folder / "f";
  runtime::write_file(path, "old");
  struct stat before {};
  struct stat after {};
  REQUIRE(::link(path.c_str(), (folder / "other name").c_str()) == 0);
  REQUIRE(::stat(path.c_str(), &before) == 0);
  runtime::write_file(path, "new");
  REQUIRE(::stat(path.c_str(), &after) == 0);
  CHECK(before.st_ino != after.st_ino);
  CHECK(tests::get(folder / "other name") == "old");
}

TEST_CASE("where the disk is full the old file stays as it was and no temporary one beside it") {
  const tests::TemporaryFolder folder;
  const std::string path = folder / "f";
  tests::put(path, "the old contents");
  for (const std::size_t room : {std::size_t{0}, std::size_t{1}, std::size_t{70000}}) {
    CAPTURE(room);
    const std::string error = in_child([&] {
      limit_file_size(room);
      return error_of([&] { runtime::write_file(path, std::string(100000, 'n')); });
    });
    CHECK(error == path + ": can't be written: File too large");
    CHECK(tests::get(path) == "the old contents");
    CHECK(folder.files() == 1);
  }
}

TEST_CASE("a checkpoint that doesn't fit on the disk leaves the last one readable") {
  const tests::TemporaryFolder folder;
  const std::string path = folder / "c";
  runtime::Checkpoint checkpoint;
  checkpoint.step = 1;
  runtime::save_checkpoint(checkpoint, path);
  const std::string error = in_child([&] {
    limit_file_size(1000);
    checkpoint.step = 2;
    checkpoint.states.emplace("w", runtime::Tensor({ir::DType::f32, {1000}}));
    return error_of([&] { runtime::save_checkpoint(checkpoint, path); });
  });
  CHECK(error == path + ": can't be written: File too large");
  CHECK(runtime::load_checkpoint(path).step == 1);
}

TEST_CASE("a folder that can't be written to is an error that says so") {
  const tests::TemporaryFolder folder;
  const std::string path = folder / "f";
  tests::put(path, "old");
  REQUIRE(::chmod(folder.path().c_str(), 0500) == 0);
  const std::string error = in_child([&] {
    // The administrator may write everywhere; nobody may not.
    if (::geteuid() == 0 && ::setresuid(65534, 65534, 65534) != 0) return std::string("can't become nobody");
    return error_of([&] { runtime::write_file(path, "new"); });
  });
  REQUIRE(::chmod(folder.path().c_str(), 0700) == 0);
  CHECK(error == path + ": can't be written: Permission denied");
  CHECK(tests::get(path) == "old");
  CHECK(folder.files() == 1);
}

TEST_CASE("places where no file can be") {
  const tests::TemporaryFolder folder;
  const auto write_error = [](const std::string& path) { return error_of([&] { runtime::write_file(path, "x"); }); };
  const std::string nowhere = folder / "no/such/folder";
  CHECK(write_error(nowhere) == nowhere + ": can't be written: No such file or directory");
  tests::put(folder / "f", "file");
  CHECK(write_error(folder / "f/g") == folder / "f/g: can't be written: Not a directory");
  REQUIRE(::mkdir((folder / "d").c_str(), 0700) == 0);
  CHECK(write_error(folder / "d") == folder / "d: is a folder, expected a file to write");
  CHECK(folder.files() == 2);
  CHECK(error_of([&] { runtime::read_file(folder / "d"); }) == folder / "d: is a folder, expected a file");
  CHECK(error_of([&] { runtime::read_file(folder / "f/g"); }) == folder / "f/g: can't be opened: Not a directory");
  CHECK(error_of([&] { runtime::append_line(nowhere, "x"); }) == nowhere + ": can't be written: No such file or directory");
}

TEST_CASE("lines are appended") {
  const tests::TemporaryFolder folder;
  runtime::append_line(folder / "log", "one");
  runtime::append_line(folder / "log", "");
  runtime::append_line(folder / "log", "three");
  CHECK(tests::get(folder / "log") == "one\n\nthree\n");
}

TEST_CASE("a folder has one writer at a time, of whom the next is told, and a file that a crash left behind locks nothing") {
  const tests::TemporaryFolder folder;
  const std::string path = folder.path().string();
  const auto lock_error = [&] { return error_of([&] { const runtime::FolderLock lock(path); }); };
  const std::string taken = path + ": is being written by ";
  const std::string rest = ", expected a folder of its own or the end of that process";
  {
    const runtime::FolderLock lock(path);
    CHECK(tests::get(folder / "run.lock") == std::to_string(::getpid()) + "\n");
    CHECK(lock_error() == taken + "process " + std::to_string(::getpid()) + rest);
    CHECK(in_child(lock_error) == taken + "process " + std::to_string(::getpid()) + rest);
    tests::put(folder / "run.lock", "no number");
    CHECK(lock_error() == taken + "another process" + rest);
    CHECK(folder.files() == 1);
  }
  CHECK(folder.files() == 0);
  tests::put(folder / "run.lock", "1\n");
  CHECK(lock_error() == "no error");
  CHECK(folder.files() == 0);
  CHECK(error_of([&] { const runtime::FolderLock lock(folder / "no"); }) ==
        folder / "no/run.lock: can't be written: No such file or directory");
}

TEST_CASE("temporary files of processes that are gone are removed, and no others") {
  const tests::TemporaryFolder folder;
  const pid_t gone = ::fork();
  if (gone == 0) ::_exit(0);
  REQUIRE(::waitpid(gone, nullptr, 0) == gone);
  const pid_t ended = ::fork();  // nobody has asked for its code
  if (ended == 0) ::_exit(0);
  siginfo_t information{};
  REQUIRE(::waitid(P_PID, static_cast<id_t>(ended), &information, WEXITED | WNOWAIT) == 0);
  const std::string alive = std::to_string(::getppid());
  for (const std::string& name : {"a.safetensors.tmp" + alive, std::string("b.tmp"), std::string("c.tmp12x"), std::string("d.tmp-5"),
                                  std::string("e.tmp0"), std::string("f.tmp99999999999999999999"), std::string("g")}) {
    tests::put(folder / name, "kept");
  }
  for (const std::string& pid : {std::to_string(gone), std::to_string(ended), std::to_string(::getpid())})
    tests::put(folder / ("h.stair.tmp" + pid), "left over");
  REQUIRE(::mkdir((folder / ("i.tmp" + std::to_string(gone))).c_str(), 0700) == 0);
  runtime::remove_leftovers(folder.path().string());
  REQUIRE(::waitpid(ended, nullptr, 0) == ended);
  CHECK(folder.files() == 8);
}

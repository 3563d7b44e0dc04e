#include "backends/parallel_for.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace stair;
using backends::parallel_for;

namespace {

#if defined(__SANITIZE_THREAD__)
constexpr bool thread_sanitizer = true;
#elif defined(__has_feature)
constexpr bool thread_sanitizer = __has_feature(thread_sanitizer);
#else
constexpr bool thread_sanitizer = false;
#endif

// How often each piece was run. The counts are no atomics: the thread sanitizer sees whether the call orders them.
std::vector<int> runs_of_pieces(std::int64_t pieces, int threads) {
  std::vector<int> runs(static_cast<std::size_t>(pieces));
  parallel_for(pieces, threads, [&](std::int64_t piece, int) { ++runs[static_cast<std::size_t>(piece)]; });
  return runs;
}

void work_for(std::chrono::microseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end) {
  }
}

// Holds a piece until another thread has come, or for ten seconds.
bool wait_for(const std::atomic<bool>& come) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!come && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  return come;
}

}  // namespace

TEST_CASE("each piece is run once") {
  for (int threads = 0; threads <= 8; ++threads) {
    for (const std::int64_t pieces : {0, 1, 2, 3, 7, 8, 9, 64, 1000}) {
      CAPTURE(threads);
      CAPTURE(pieces);
      const std::vector<int> runs = runs_of_pieces(pieces, threads);
      CHECK(runs == std::vector<int>(runs.size(), 1));
    }
  }
}

TEST_CASE("more pieces than one word counts are each run once") {
  const std::vector<int> runs = runs_of_pieces(200'003, 2);
  CHECK(runs == std::vector<int>(runs.size(), 1));
}

TEST_CASE("another thread does take pieces, and its slot isn't the caller's") {
  const std::thread::id caller = std::this_thread::get_id();
  std::atomic<bool> come = false;
  parallel_for(2, 2, [&](std::int64_t, int slot) {
    CHECK((slot == 0) == (std::this_thread::get_id() == caller));
    if (slot == 1) come = true;
    wait_for(come);
  });
  CHECK(come);
}

TEST_CASE("a thread that holds a piece keeps nobody from the others") {
  // Whoever takes the first piece holds it until all others are done.
  constexpr int pieces = 40;
  std::atomic<int> done = 0;
  std::atomic<bool> others = false;
  parallel_for(pieces, 2, [&](std::int64_t piece, int) {
    if (piece == 0) {
      CHECK(wait_for(others));
    } else if (++done == pieces - 1) {
      others = true;
    }
  });
}

TEST_CASE("threads that work at the same time have different slots") {
  constexpr int threads = 6;
  std::vector<int> scratch(threads);  // no atomics, as the scratch memory of kernels
  std::atomic<bool> shared = false;
  for (int round = 0; round < 200; ++round) {
    parallel_for(60, threads, [&](std::int64_t piece, int slot) {
      int& own = scratch[static_cast<std::size_t>(slot)];
      own = static_cast<int>(piece);
      work_for(std::chrono::microseconds(1));
      if (own != piece) shared = true;
    });
  }
  CHECK(!shared);
}

TEST_CASE("a call from within a piece runs serially") {
  std::vector<int> runs(8 * 16);
  parallel_for(8, 4, [&](std::int64_t outer, int) {
    const std::thread::id self = std::this_thread::get_id();
    parallel_for(16, 4, [&](std::int64_t inner, int slot) {
      CHECK(slot == 0);
      CHECK(std::this_thread::get_id() == self);
      ++runs[static_cast<std::size_t>(outer * 16 + inner)];
    });
  });
  CHECK(runs == std::vector<int>(runs.size(), 1));
}

TEST_CASE("several callers at once share the workers") {
  constexpr int callers = 5;
  constexpr int rounds = 400;
  std::vector<std::int64_t> sums(callers);
  std::vector<std::thread> threads;
  for (int caller = 0; caller < callers; ++caller) {
    threads.emplace_back([&, caller] {
      for (int round = 0; round < rounds; ++round) {
        const int pieces = 2 + (round + caller) % 37;
        std::vector<std::int64_t> results(static_cast<std::size_t>(pieces));
        parallel_for(pieces, 2 + caller % 3, [&](std::int64_t piece, int) { results[static_cast<std::size_t>(piece)] = piece + 1; });
        if (std::accumulate(results.begin(), results.end(), std::int64_t{0}) == pieces * (pieces + 1) / 2)
          ++sums[static_cast<std::size_t>(caller)];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(sums == std::vector<std::int64_t>(callers, rounds));
}

TEST_CASE("workers that come late find a region that has ended, or the next one") {
  // Regions that end before a sleeping worker wakes, with pauses in which it sleeps, waits, or is about to.
  std::int64_t wrong = 0;
  for (int round = 0; round < 3000; ++round) {
    const std::int64_t pieces = 2 + round % 5;
    std::vector<int> runs(static_cast<std::size_t>(pieces));
    parallel_for(pieces, 2 + round % 7, [&](std::int64_t piece, int) { ++runs[static_cast<std::size_t>(piece)]; });
    wrong += runs != std::vector<int>(runs.size(), 1);
    if (round % 3 == 0) work_for(std::chrono::microseconds(round % 100));
  }
  CHECK(wrong == 0);
}

TEST_CASE("the first exception of a piece is the caller's, and the next call works") {
  for (const int threads : {1, 2, 4}) {
    CAPTURE(threads);
    CHECK_THROWS_WITH_AS(parallel_for(20, threads, [](std::int64_t, int) { throw std::runtime_error("a piece"); }), "a piece",
                         std::runtime_error);
    const std::vector<int> runs = runs_of_pieces(20, threads);
    CHECK(runs == std::vector<int>(20, 1));
  }
}

TEST_CASE("a forked process has workers of its own" * doctest::skip(thread_sanitizer)) {
  runs_of_pieces(8, 3);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const std::vector<int> runs = runs_of_pieces(100, 3);
    std::atomic<bool> come = false;
    parallel_for(2, 2, [&](std::int64_t, int slot) {
      if (slot == 1) come = true;
      wait_for(come);
    });
    ::_exit(runs == std::vector<int>(100, 1) && come ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  const std::vector<int> runs = runs_of_pieces(8, 3);
  CHECK(runs == std::vector<int>(8, 1));
}

// Last: from here on there are more workers than processors.
TEST_CASE("more threads than there may be are as many as there may be") {
  std::atomic<int> largest = 0;
  std::vector<int> runs(3000);
  parallel_for(3000, 1024, [&](std::int64_t piece, int slot) {
    ++runs[static_cast<std::size_t>(piece)];
    int known = largest;
    while (known < slot && !largest.compare_exchange_weak(known, slot)) {
    }
  });
  CHECK(runs == std::vector<int>(runs.size(), 1));
  CHECK(largest < backends::most_threads);
}

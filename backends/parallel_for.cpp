#include "backends/parallel_for.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <thread>

namespace stair::backends {

int allowed_processors() {
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) == 0) return CPU_COUNT(&allowed);
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));  // more processors than the set has room for
}

namespace parallel {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto waking = std::chrono::microseconds(50);  // about what it takes; waiting as long costs at most twice the better way
constexpr int most_regions = 64;                        // at once; the callers of more run serially
constexpr std::size_t line = 64;

// What the threads of a region know. It lies on the caller's stack: only who has claimed a unit may look, since the caller waits for it.
struct Call {
  Function function;
  void* body;
  std::int64_t pieces;
  std::int64_t units, pieces_of_unit;
  int threads;
  std::atomic<bool> failed = false;
  std::exception_ptr failure;  // of who set `failed`
};

// The share of a slot: units that nobody has claimed yet, whether the slot is taken, and the region's epoch, in one word, so that who comes
// too late for an epoch can't claim anything of the next.
struct Share {
  std::uint64_t word;

  static constexpr std::uint64_t limit = 0xffff;
  Share(std::uint32_t epoch, bool taken, std::uint64_t begin, std::uint64_t end)
      : word(std::uint64_t{epoch} << 33U | std::uint64_t{taken} << 32U | begin << 16U | end) {}
  explicit Share(std::uint64_t bits) : word(bits) {}

  std::uint32_t epoch() const { return static_cast<std::uint32_t>(word >> 33U); }
  bool taken() const { return (word >> 32U & 1U) != 0; }
  std::uint64_t begin() const { return word >> 16U & limit; }
  std::uint64_t end() const { return word & limit; }
};
constexpr std::uint32_t epochs = 0x7fffffff;

struct alignas(line) SharedWord {
  std::atomic<std::uint64_t> word = 0;
};

struct Region {
  alignas(line) std::atomic<bool> busy = false;
  std::atomic<std::uint64_t> open = 0;  // epoch << 32 | threads; no threads: nothing to do
  Call* call = nullptr;
  std::uint32_t epoch = 0;
  alignas(line) std::atomic<std::uint32_t> finished = 0;  // units, by workers
  std::array<SharedWord, most_threads> shares;
};

struct alignas(line) Worker {
  pthread_t thread{};
  std::atomic<std::uint32_t> asleep = 0;
};

// Never destroyed: a thread may be in a region while the process ends.
struct Pool {
  alignas(line) std::atomic<std::uint32_t> announced = 0;  // changes when a region opens
  std::atomic<int> caller_processor = -1;                  // of the last region
  alignas(line) std::atomic<int> workers = 0;
  std::atomic<int> regions = 0;  // that were ever used
  std::atomic<bool> stopping = false, patient = true;
  std::mutex starting;
  std::array<Worker, most_threads> worker;
  std::array<Region, most_regions> region;
};
constinit Pool pool;

thread_local bool in_piece = false;
thread_local int own_region = 0;

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield" ::: "memory");
#endif
}

// Whether `done` holds before waiting longer would cost more than sleeping.
template <class Done>
bool spin(const Done& done) {
  constexpr int rounds_of_look = 16;  // at the clock
  if (!pool.patient.load(std::memory_order_relaxed)) return done();
  const Clock::time_point start = Clock::now();
  do {
    for (int round = 0; round < rounds_of_look; ++round) {
      if (done()) return true;
      relax();
    }
  } while (Clock::now() - start < waking);
  return false;
}

void wake(Worker& worker) {
  if (worker.asleep.load(std::memory_order_seq_cst) == 0 || worker.asleep.exchange(0) == 0) return;
  worker.asleep.notify_one();
}

// The caller wakes two workers, each of which wakes two more, if they sleep.
void wake_next(int slot, int threads) {
  const int workers = pool.workers.load(std::memory_order_acquire);
  for (int next = 2 * slot + 1; next <= 2 * slot + 2 && next < threads && next <= workers; ++next)
    wake(pool.worker[static_cast<std::size_t>(next - 1)]);
}

void run_unit(Call& call, std::int64_t unit, int slot) {
  const std::int64_t last = std::min(call.pieces, (unit + 1) * call.pieces_of_unit);
  for (std::int64_t piece = unit * call.pieces_of_unit; piece < last; ++piece) {
    if (call.failed.load(std::memory_order_relaxed)) return;
    try {
      call.function(call.body, piece, slot);
    } catch (...) {
      if (!call.failed.exchange(true)) call.failure = std::current_exception();
    }
  }
}

std::int64_t first_unit(const Call& call, int slot) {
  return slot * call.units / call.threads;
}

// Runs what it can claim of the share of `from`; returns how many units.
std::uint32_t run_share(Region& region, std::uint32_t epoch, int from, int slot) {
  std::atomic<std::uint64_t>& word = region.shares[static_cast<std::size_t>(from)].word;
  std::uint32_t ran = 0;
  Share seen(word.load(std::memory_order_acquire));
  while (seen.epoch() == epoch && seen.begin() < seen.end()) {
    const bool own = from == slot;
    const std::uint64_t unit = own ? seen.begin() : seen.end() - 1;
    const Share rest(epoch, seen.taken(), seen.begin() + (own ? 1U : 0U), seen.end() - (own ? 0U : 1U));
    if (!word.compare_exchange_weak(seen.word, rest.word, std::memory_order_acq_rel, std::memory_order_acquire)) continue;
    Call& call = *region.call;
    run_unit(call, first_unit(call, from) + static_cast<std::int64_t>(unit), slot);
    ++ran;
    seen.word = word.load(std::memory_order_acquire);
  }
  return ran;
}

std::uint32_t run_shares(Region& region, std::uint32_t epoch, int threads, int slot) {
  std::uint32_t ran = 0;
  for (int i = 0; i < threads; ++i) ran += run_share(region, epoch, (slot + i) % threads, slot);
  return ran;
}

bool anything_left(const Region& region, std::uint32_t epoch, int threads) {
  return std::any_of(region.shares.begin(), region.shares.begin() + threads, [&](const SharedWord& share) {
    const Share seen(share.word.load(std::memory_order_relaxed));
    return seen.epoch() == epoch && seen.begin() < seen.end();
  });
}

// A slot of the region that nobody has, the worker's usual one first; 0 where there is none.
int take_slot(Region& region, std::uint32_t epoch, int threads, int usual) {
  for (int i = 0; i < threads - 1; ++i) {
    const int slot = 1 + (usual - 1 + i) % (threads - 1);
    std::atomic<std::uint64_t>& word = region.shares[static_cast<std::size_t>(slot)].word;
    Share seen(word.load(std::memory_order_acquire));
    while (seen.epoch() == epoch && !seen.taken()) {
      const Share mine(epoch, true, seen.begin(), seen.end());
      if (word.compare_exchange_weak(seen.word, mine.word, std::memory_order_acq_rel, std::memory_order_acquire)) return slot;
    }
    if (seen.epoch() != epoch) return 0;
  }
  return 0;
}

bool help(Region& region, int worker) {
  const std::uint64_t open = region.open.load(std::memory_order_acquire);
  const auto threads = static_cast<int>(open & 0xffffffffU);
  const auto epoch = static_cast<std::uint32_t>(open >> 32U);
  if (threads == 0 || !anything_left(region, epoch, threads)) return false;
  const int slot = take_slot(region, epoch, threads, worker + 1);
  if (slot == 0) return false;
  wake_next(slot, threads);
  const std::uint32_t ran = run_shares(region, epoch, threads, slot);
  if (ran == 0) return false;
  region.finished.fetch_add(ran, std::memory_order_release);
  region.finished.notify_one();
  return true;
}

// The scheduler may wake a worker on the processor that the caller works on, where it runs only when the caller doesn't, sleeps again at
// once, and so is never moved. Then the worker moves itself.
void leave_caller() {
  const int processor = pool.caller_processor.load(std::memory_order_relaxed);
  if (processor < 0 || ::sched_getcpu() != processor) return;
  cpu_set_t allowed;
  if (::sched_getaffinity(::getpid(), sizeof allowed, &allowed) != 0) return;
  cpu_set_t others = allowed;
  CPU_CLR(static_cast<unsigned>(processor), &others);
  if (CPU_COUNT(&others) == 0 || ::sched_setaffinity(0, sizeof others, &others) != 0) return;
  ::sched_setaffinity(0, sizeof allowed, &allowed);
}

void* work(void* argument) {
  const auto index = static_cast<int>(static_cast<Worker*>(argument) - pool.worker.data());
  Worker& self = pool.worker[static_cast<std::size_t>(index)];
  in_piece = true;
  while (!pool.stopping.load(std::memory_order_acquire)) {
    const std::uint32_t seen = pool.announced.load(std::memory_order_acquire);
    leave_caller();
    bool helped = false;
    const int regions = pool.regions.load(std::memory_order_acquire);
    for (int i = 0; i < regions; ++i) helped = help(pool.region[static_cast<std::size_t>(i)], index) || helped;
    const auto called = [&] { return pool.announced.load(std::memory_order_acquire) != seen; };
    if (helped || spin(called)) continue;
    self.asleep.store(1, std::memory_order_seq_cst);
    if (pool.announced.load(std::memory_order_seq_cst) == seen && !pool.stopping.load(std::memory_order_seq_cst)) self.asleep.wait(1);
    self.asleep.store(0, std::memory_order_relaxed);
  }
  return nullptr;
}

// In a child process there are no workers, and nobody is in a region but the thread that forked.
void forget_workers() {
  pool.workers.store(0);
  for (Worker& worker : pool.worker) worker.asleep.store(0);
  for (Region& region : pool.region) {
    region.open.store(0);
    region.busy.store(false);
  }
  pool.starting.unlock();
}

void start_workers(int wanted) {
  const std::lock_guard lock(pool.starting);
  static const int handles_forks = pthread_atfork([] { pool.starting.lock(); }, [] { pool.starting.unlock(); }, forget_workers);
  int started = pool.workers.load(std::memory_order_relaxed);
  if (handles_forks != 0 || pool.stopping.load()) return;
  while (started < wanted) {
    Worker& next = pool.worker[static_cast<std::size_t>(started)];
    if (pthread_create(&next.thread, nullptr, work, &next) != 0) break;  // then fewer work
    pool.workers.store(++started, std::memory_order_release);
  }
  pool.patient.store(started < allowed_processors());
}

struct Stopper {
  ~Stopper() {
    pool.stopping.store(true);
    const std::lock_guard lock(pool.starting);
    const int workers = pool.workers.exchange(0);
    pool.announced.fetch_add(1);
    for (int i = 0; i < workers; ++i) wake(pool.worker[static_cast<std::size_t>(i)]);
    for (int i = 0; i < workers; ++i) pthread_join(pool.worker[static_cast<std::size_t>(i)].thread, nullptr);
  }
};
const Stopper stopper;

// The region that the thread had last, if it is free, or another; nullptr where all are in use.
Region* enter_region() {
  for (int i = 0; i < most_regions; ++i) {
    const int at = (own_region + i) % most_regions;
    Region& region = pool.region[static_cast<std::size_t>(at)];
    if (region.busy.load(std::memory_order_relaxed) || region.busy.exchange(true, std::memory_order_acquire)) continue;
    own_region = at;
    int known = pool.regions.load(std::memory_order_relaxed);
    while (known <= at && !pool.regions.compare_exchange_weak(known, at + 1)) {
    }
    return &region;
  }
  return nullptr;
}

// Opens the region to the workers; returns its epoch.
std::uint32_t open_region(Region& region, Call& call) {
  const std::uint32_t epoch = region.epoch = (region.epoch + 1) & epochs;
  region.call = &call;
  region.finished.store(0, std::memory_order_relaxed);
  for (int slot = 0; slot < call.threads; ++slot) {
    const auto size = static_cast<std::uint64_t>(first_unit(call, slot + 1) - first_unit(call, slot));
    region.shares[static_cast<std::size_t>(slot)].word.store(Share(epoch, slot == 0, 0, size).word, std::memory_order_release);
  }
  region.open.store(std::uint64_t{epoch} << 32U | static_cast<std::uint64_t>(call.threads), std::memory_order_release);
  pool.caller_processor.store(::sched_getcpu(), std::memory_order_relaxed);
  pool.announced.fetch_add(1, std::memory_order_seq_cst);
  return epoch;
}

void wait_for(const Region& region, std::uint32_t units) {
  const auto done = [&] { return region.finished.load(std::memory_order_acquire) == units; };
  if (spin(done)) return;
  for (std::uint32_t seen = 0; (seen = region.finished.load(std::memory_order_acquire)) != units;)
    region.finished.wait(seen, std::memory_order_acquire);
}

}  // namespace

void run(std::int64_t pieces, int threads, Function function, void* body) {
  const int team = static_cast<int>(std::min<std::int64_t>({threads, most_threads, pieces}));
  if (!in_piece && pool.workers.load(std::memory_order_relaxed) < team - 1) start_workers(team - 1);
  Region* const region = in_piece ? nullptr : enter_region();
  if (region == nullptr) {
    for (std::int64_t piece = 0; piece < pieces; ++piece) function(body, piece, 0);
    return;
  }
  const std::int64_t most_units = static_cast<std::int64_t>(Share::limit) * team;
  const std::int64_t pieces_of_unit = (pieces + most_units - 1) / most_units;
  const std::int64_t units = (pieces + pieces_of_unit - 1) / pieces_of_unit;
  Call call{function, body, pieces, units, pieces_of_unit, team, false, nullptr};
  const std::uint32_t epoch = open_region(*region, call);
  wake_next(0, team);
  in_piece = true;
  const std::uint32_t ran = run_shares(*region, epoch, team, 0);
  in_piece = false;
  region->open.store(0, std::memory_order_relaxed);
  wait_for(*region, static_cast<std::uint32_t>(units) - ran);
  region->busy.store(false, std::memory_order_release);
  if (call.failure) std::rethrow_exception(call.failure);
}

}  // namespace parallel
}  // namespace stair::backends

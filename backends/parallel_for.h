#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>

namespace stair::backends {

/// The processors that the process may run on (its affinity).
int allowed_processors();

/// So many threads work on one region at most.
inline constexpr int most_threads = 256;

namespace parallel {
using Function = void (*)(void* body, std::int64_t piece, int slot);
void run(std::int64_t pieces, int threads, Function function, void* body);
}  // namespace parallel

/// Calls body(piece, slot) once for each 0 <= piece < pieces, on at most `threads` threads: the one way in which the project runs in
/// parallel.
///
/// Pieces are claimed, not assigned. The calling thread works itself, and does what nobody else has claimed; at the end it waits for pieces
/// that others have begun, never for a thread that hasn't taken one. So a thread that another program keeps from running costs nothing. On
/// a machine of its own each thread begins with the same share of the pieces every time, so that what it reads stays in its cache, and
/// takes from the others' ends when that is done.
///
/// No result may depend on who takes which piece, nor on how many threads there are (N-REPEAT): where an element's terms are shared out,
/// pieces follow from shapes alone. They should take microseconds: claiming costs some 20 ns. `slot` < threads is unique among those that
/// work on the region; scratch memory can follow it. The caller's is 0.
///
/// A call from within a piece runs serially, its slot being 0. Several threads may call at once; they share one set of workers, one fewer
/// than the most that anyone has asked for. Workers wait for work for about as long as waking them takes, then sleep. Nothing is allocated
/// but at the first call for so many threads. The first exception that leaves a piece is thrown from here when all that were begun have
/// ended; pieces that weren't begun by then are left out.
template <class Body>
void parallel_for(std::int64_t pieces, int threads, Body&& body) {
  if (threads <= 1 || pieces <= 1) {
    for (std::int64_t piece = 0; piece < pieces; ++piece) body(piece, 0);
    return;
  }
  using Called = std::remove_reference_t<Body>;
  parallel::run(
      pieces, threads, [](void* called, std::int64_t piece, int slot) { (*static_cast<Called*>(called))(piece, slot); },
      const_cast<void*>(static_cast<const void*>(std::addressof(body))));
}

}  // namespace stair::backends

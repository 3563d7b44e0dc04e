#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "backends/min_max.h"
#include "ir/type.h"
#include "runtime/tensor.h"

namespace stair::runtime {

/// Random numbers that choose what is cut out of a picture that is larger than a model's input.
struct Window {
  std::uint64_t down = 0, right = 0;
};

/// How examples are read that don't lie in memory.
struct ExampleSource {
  ir::Type type;  ///< [N, ...]
  /// The bytes of an example, into `room`, or where they lie. What is cut out of a larger picture `window` says; nullptr: its middle.
  /// Called by several threads at once. Error naming the file.
  std::function<const std::byte*(std::int64_t index, std::byte* room, const Window* window)> read;
  bool larger = false;                        ///< windows make a difference: some picture is larger than its example
  bool slow = false;                          ///< reading takes a processor's time, so that several threads pay
  std::vector<std::uint32_t> checksums = {};  ///< of each example, where reading it once more would take long
};

/// What a pass over examples f32 [N, C, ...] finds.
struct Extents {
  std::vector<backends::MinMax> channels;  ///< of all examples before the first that isn't finite
  std::int64_t not_finite = -1;            ///< that example; -1: all are finite
};

/// The examples of a data set, [N, ...] u8 or f32, wherever they lie: in memory, in a file of which each is read when it is asked for, or
/// in pictures that are decoded then. Copies stand for the same examples. All functions may be called by several threads at once.
class Examples {
 public:
  Examples() = default;  ///< none, of which nothing may be asked
  Examples(Tensor in_memory);
  explicit Examples(ExampleSource source);

  const ir::Type& type() const;                                ///< [N, ...]
  std::int64_t count() const { return type().shape.front(); }  ///< N
  std::int64_t elements() const;                               ///< of an example
  std::size_t bytes() const;                                   ///< of an example
  bool larger() const;                                         ///< as its source says
  bool slow() const;                                           ///< likewise
  /// Where the bytes of an example are: in `room`, for bytes() of them, or elsewhere. Error as its source throws.
  const std::byte* read(std::int64_t index, std::byte* room, const Window* window = nullptr) const;

  /// CRC-32 of all examples, one behind the other; of pictures that are larger than an example, a number that follows from all of them.
  std::uint32_t checksum() const;
  /// Of f32, from one pass over them.
  const Extents& extents() const;
  /// Those of the numbers, in that order.
  Examples chosen(const std::vector<std::int64_t>& numbers) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace stair::runtime

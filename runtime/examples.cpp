#include "runtime/examples.h"

#include <zlib.h>

#include <mutex>
#include <utility>

#include "backends/finite.h"

namespace stair::runtime {

struct Examples::State {
  ExampleSource source;
  std::int64_t elements;  // of an example
  std::once_flag measured;
  Extents extents;

  explicit State(ExampleSource of) : source(std::move(of)), elements(ir::element_count(source.type.shape) / source.type.shape.front()) {}
};

Examples::Examples(ExampleSource source) : state_(std::make_shared<State>(std::move(source))) {}

Examples::Examples(Tensor in_memory)
    : Examples([&] {
        const ir::Type type = in_memory.type();
        const std::size_t bytes = in_memory.bytes() / static_cast<std::size_t>(type.shape.front());
        const auto tensor = std::make_shared<const Tensor>(std::move(in_memory));
        return ExampleSource{type, [tensor, bytes](std::int64_t index, std::byte* /*room*/, const Window* /*window*/) {
                               return tensor->as<const std::byte>() + static_cast<std::size_t>(index) * bytes;
                             }};
      }()) {}

const ir::Type& Examples::type() const {
  return state_->source.type;
}
std::int64_t Examples::elements() const {
  return state_->elements;
}
std::size_t Examples::bytes() const {
  return static_cast<std::size_t>(state_->elements) * ir::size_of(type().dtype);
}
bool Examples::larger() const {
  return state_->source.larger;
}
bool Examples::slow() const {
  return state_->source.slow;
}

const std::byte* Examples::read(std::int64_t index, std::byte* room, const Window* window) const {
  return state_->source.read(index, room, window);
}

std::uint32_t Examples::checksum() const {
  uLong sum = crc32_z(0, nullptr, 0);
  const auto length = static_cast<z_off_t>(bytes());
  for (const std::uint32_t of_one : state_->source.checksums) sum = crc32_combine(sum, of_one, length);
  if (!state_->source.checksums.empty()) return static_cast<std::uint32_t>(sum);
  std::vector<std::byte> room(bytes());
  for (std::int64_t i = 0; i < count(); ++i) sum = crc32_z(sum, reinterpret_cast<const Bytef*>(read(i, room.data())), room.size());
  return static_cast<std::uint32_t>(sum);
}

const Extents& Examples::extents() const {
  std::call_once(state_->measured, [this] {
    Extents& extents = state_->extents;
    const ir::Shape& shape = type().shape;
    extents.channels.resize(shape.size() < 2 ? 1 : static_cast<std::size_t>(shape[1]));
    const std::int64_t area = elements() / static_cast<std::int64_t>(extents.channels.size());
    std::vector<std::byte> room(bytes());
    for (std::int64_t i = 0; i < count(); ++i) {
      const auto* x = reinterpret_cast<const float*>(read(i, room.data()));
      if (!backends::all_finite(x, elements())) {
        extents.not_finite = i;
        return;
      }
      for (std::size_t c = 0; c < extents.channels.size(); ++c) extents.channels[c].see(x + static_cast<std::int64_t>(c) * area, area);
    }
  });
  return state_->extents;
}

Examples Examples::chosen(const std::vector<std::int64_t>& numbers) const {
  ExampleSource some{type(), {}, larger(), slow()};
  some.type.shape.front() = static_cast<std::int64_t>(numbers.size());
  some.read = [all = *this, numbers](std::int64_t index, std::byte* room, const Window* window) {
    return all.read(numbers[static_cast<std::size_t>(index)], room, window);
  };
  const std::vector<std::uint32_t>& checksums = state_->source.checksums;
  for (const std::int64_t number : numbers) {
    if (!checksums.empty()) some.checksums.push_back(checksums[static_cast<std::size_t>(number)]);
  }
  return Examples(std::move(some));
}

}  // namespace stair::runtime

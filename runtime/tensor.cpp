#include "runtime/tensor.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <numbers>
#include <type_traits>
#include <utility>

#include "ir/error.h"
#include "ir/random.h"
#include "runtime/finite.h"
#include "runtime/memory.h"

namespace stair::runtime {
namespace {

constexpr std::size_t cache_line = 64;
constexpr std::size_t huge_page = std::size_t{2} << 20U;

std::uint64_t hash_of(std::string_view name) {  // FNV-1a
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : name) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001b3ULL;
  return hash;
}

template <class T>
void fill(T* out, std::int64_t count, const ir::Initializer& initializer, std::uint64_t seed, std::uint64_t stream) {
  for (std::int64_t i = 0; i < count; ++i) {
    const auto index = static_cast<std::uint64_t>(i);
    double value = initializer.a;
    if (initializer.kind == ir::Initializer::Kind::uniform) {
      value = (2.0 * static_cast<double>(ir::random_uniform(seed, stream, 0, index)) - 1.0) * initializer.a;
    } else if (initializer.kind == ir::Initializer::Kind::normal) {  // Box-Muller
      const double u = 1.0 - static_cast<double>(ir::random_uniform(seed, stream, 0, index));
      const double v = static_cast<double>(ir::random_uniform(seed, stream, 1, index));
      value = std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v) * initializer.a;
    }
    if constexpr (std::is_integral_v<T>) {  // of a file: any number
      const double low = static_cast<double>(std::numeric_limits<T>::min());
      const double high = std::nextafter(std::ldexp(1.0, std::numeric_limits<T>::digits), 0.0);
      value = std::isnan(value) ? 0 : std::clamp(value, low, high);
    }
    out[i] = static_cast<T>(value);
  }
}

}  // namespace

void Buffer::Free::operator()(std::byte* p) const {
#if defined(MADV_HUGEPAGE)
  if (mapped > 0) {
    munmap(p, mapped);
    return;
  }
#endif
  std::free(p);
}

Buffer::Buffer(std::size_t bytes) : size_(bytes) {
#if defined(MADV_HUGEPAGE)
  if (bytes > ~std::size_t{0} - 2 * huge_page) throw std::bad_alloc();
  if (bytes >= huge_page) {
    // Straight from the system: zero, and nowhere until it is touched (scratch memory is laid out for more threads than there may be).
    // Kernels walk a channel of many images, where each row of a small page would be a page of its own; the advice is a hint, whatever it
    // returns.
    const std::size_t rounded = (bytes + huge_page - 1) / huge_page * huge_page;
    void* whole = mmap(nullptr, rounded + huge_page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (whole == MAP_FAILED) throw std::bad_alloc();
    auto* begin = static_cast<std::byte*>(whole);
    const std::size_t before = (huge_page - reinterpret_cast<std::uintptr_t>(begin) % huge_page) % huge_page;
    if (before > 0) munmap(begin, before);
    munmap(begin + before + rounded, huge_page - before);
    madvise(begin + before, rounded, MADV_HUGEPAGE);
    data_ = std::unique_ptr<std::byte[], Free>(begin + before, Free{rounded});
    return;
  }
#endif
  const std::size_t rounded = std::max((bytes + cache_line - 1) / cache_line, std::size_t{1}) * cache_line;
  auto* p = static_cast<std::byte*>(std::aligned_alloc(cache_line, rounded));
  if (p == nullptr) throw std::bad_alloc();
  std::memset(p, 0, rounded);
  data_.reset(p);
}

Tensor::Tensor(ir::Type type) : type_(std::move(type)), buffer_(ir::byte_count(type_)) {}

void check_type(const Tensor& tensor, const ir::Value& value, const std::string& where) {
  if (tensor.type() == value.type) return;
  throw Error(where + "tensor '" + value.name + "' is " + to_string(tensor.type()) + ", the model expects " + to_string(value.type));
}

std::vector<ir::TensorView> views_of(const std::vector<Tensor>& tensors) {
  std::vector<ir::TensorView> views;
  for (const Tensor& tensor : tensors) views.push_back(tensor.view());
  return views;
}

ir::TensorView view_of(const Tensors& tensors, std::string_view name) {
  const auto it = tensors.find(name);
  return it == tensors.end() ? ir::TensorView{} : it->second.view();
}

Tensor Tensor::clone() const {
  Tensor copy(type_);
  std::memcpy(copy.buffer_.data(), buffer_.data(), bytes());
  return copy;
}

std::uint32_t checksum(const ir::TensorView& tensor, std::uint32_t before) {
  return static_cast<std::uint32_t>(crc32_z(before, reinterpret_cast<const Bytef*>(tensor.data), ir::byte_count(tensor.type)));
}

void initialize_states(const ir::Graph& graph, std::uint64_t seed, Tensors& states) {
  check_memory(graph, 0);
  for (const ir::State& state : graph.states()) {
    const ir::Value& value = graph.value(state.value);
    if (const auto it = states.find(value.name); it != states.end()) {
      check_type(it->second, value);
      check_finite_state(graph, state, it->second);
      continue;
    }
    if (state.initializer.kind == ir::Initializer::Kind::external) {
      throw Error("tensor '" + value.name + "' (" + to_string(value.type) + ") is missing");
    }
    Tensor tensor(value.type);
    const std::uint64_t stream = hash_of(value.name);
    ir::with_element_type(value.type.dtype, [&]<class T>(T) { fill(tensor.as<T>(), tensor.count(), state.initializer, seed, stream); });
    check_finite_state(graph, state, tensor);
    states.emplace(value.name, std::move(tensor));
  }
}

double element(const ir::TensorView& tensor, std::int64_t i) {
  return ir::with_element_type(tensor.type.dtype, [&]<class T>(T) { return static_cast<double>(tensor.as<T>()[i]); });
}

void copy_row(const ir::TensorView& source, std::int64_t from, const ir::TensorView& target, std::int64_t to) {
  const std::size_t bytes = ir::byte_count(source.type) / static_cast<std::size_t>(source.dim(0));
  std::memcpy(static_cast<std::byte*>(target.data) + static_cast<std::size_t>(to) * bytes,
              static_cast<const std::byte*>(source.data) + static_cast<std::size_t>(from) * bytes, bytes);
}

}  // namespace stair::runtime

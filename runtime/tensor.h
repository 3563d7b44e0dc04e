#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "ir/type.h"

namespace stair::runtime {

/// Dimensions of a tensor in a file, as of a value of a graph (ir/graph.cpp).
inline constexpr std::size_t highest_rank = 16;

/// 64-byte-aligned memory, zeroed.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t bytes);
  std::byte* data() const { return data_.get(); }
  std::size_t size() const { return size_; }

 private:
  struct Free {
    std::size_t mapped;  ///< bytes of a mapping of its own; 0: of the heap
    Free() : mapped(0) {}
    explicit Free(std::size_t bytes) : mapped(bytes) {}
    void operator()(std::byte* p) const;
  };
  std::unique_ptr<std::byte[], Free> data_;
  std::size_t size_ = 0;
};

/// A tensor that owns its elements. Movable; copy with clone().
class Tensor {
 public:
  Tensor() = default;
  explicit Tensor(ir::Type type);
  Tensor clone() const;
  const ir::Type& type() const { return type_; }
  ir::TensorView view() const { return {type_, buffer_.data()}; }
  template <class T>
  T* as() const {
    return reinterpret_cast<T*>(buffer_.data());
  }
  std::int64_t count() const { return ir::element_count(type_.shape); }
  std::size_t bytes() const { return ir::byte_count(type_); }

 private:
  ir::Type type_;
  Buffer buffer_;
};

/// Named tensors: a model's states, the contents of a checkpoint or an artifact.
using Tensors = std::map<std::string, Tensor, std::less<>>;

std::vector<ir::TensorView> views_of(const std::vector<Tensor>& tensors);

/// The tensor of that name; data == nullptr where there is none.
ir::TensorView view_of(const Tensors& tensors, std::string_view name);

/// Error "WHEREtensor 'NAME' is …" unless it is of the value's type.
void check_type(const Tensor& tensor, const ir::Value& value, const std::string& where = "");

/// Element i as a double, which holds all but i64 beyond 2^53.
double element(const ir::TensorView& tensor, std::int64_t i);

/// CRC-32 of the tensor's bytes, behind bytes whose checksum is `before`.
std::uint32_t checksum(const ir::TensorView& tensor, std::uint32_t before = 0);

/// Makes a tensor for every state of the graph that `states` lacks, from its initializer and the seed: a pure function of seed and state
/// name, so that graphs of different stages agree. A state that is there must have the type the graph says, else Error (naming it, both
/// types) and be finite (check_finite_state). An external initializer without a tensor is an Error.
void initialize_states(const ir::Graph& graph, std::uint64_t seed, Tensors& states);

/// Copies row `from` of a tensor [N, ...] to row `to` of another whose rows are the same.
void copy_row(const ir::TensorView& source, std::int64_t from, const ir::TensorView& target, std::int64_t to);

}  // namespace stair::runtime

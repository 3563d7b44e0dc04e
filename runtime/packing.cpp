#include "runtime/packing.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "ir/error.h"
#include "ir/scanner.h"

namespace stair::runtime {
namespace {

std::size_t packed_bytes(std::int64_t count, std::int64_t bits) {
  return static_cast<std::size_t>((count * bits + 7) / 8);
}

void check_length(const std::string& bytes, std::int64_t bits, const ir::Type& type) {
  const std::size_t expected = packed_bytes(ir::element_count(type.shape), bits);
  if (bytes.size() == expected) return;
  throw Error(fmt::format("{} bytes of {}-bit integers, expected {} for {}", bytes.size(), bits, expected, to_string(type)));
}

// An element of s8 or u8.
std::int64_t integer_at(const Tensor& integers, std::int64_t i) {
  return integers.type().dtype == ir::DType::s8 ? integers.as<std::int8_t>()[i] : integers.as<std::uint8_t>()[i];
}

// Where in the codebook the integers stand; 0 for one that doesn't.
Tensor indices_of(const Tensor& integers, const std::vector<std::int64_t>& levels) {
  Tensor indices({ir::DType::u8, integers.type().shape});
  for (std::int64_t i = 0; i < integers.count(); ++i) {
    const auto level = std::find(levels.begin(), levels.end(), integer_at(integers, i));
    indices.as<std::uint8_t>()[i] = static_cast<std::uint8_t>(level == levels.end() ? 0 : level - levels.begin());
  }
  return indices;
}

}  // namespace

std::string pack_integers(const ir::TensorView& integers, std::int64_t bits) {
  std::string packed(packed_bytes(integers.count(), bits), '\0');
  const auto* values = integers.as<std::uint8_t>();
  for (std::int64_t i = 0; i < integers.count(); ++i) {
    // One bit tells the sign of ±1.
    const unsigned value = bits == 1 && integers.type.dtype == ir::DType::s8 ? (values[i] >> 7 ^ 1U) : values[i];
    for (std::int64_t b = 0; b < bits; ++b) {
      const std::int64_t at = i * bits + b;
      if ((value >> b & 1U) != 0)
        packed[static_cast<std::size_t>(at / 8)] = static_cast<char>(packed[static_cast<std::size_t>(at / 8)] | 1 << (at % 8));
    }
  }
  return packed;
}

void unpack_integers(const std::string& bytes, std::int64_t bits, const ir::TensorView& into) {
  check_length(bytes, bits, into.type);
  auto* values = into.as<std::uint8_t>();
  for (std::int64_t i = 0; i < into.count(); ++i) {
    unsigned value = 0;
    for (std::int64_t b = 0; b < bits; ++b) {
      const std::int64_t at = i * bits + b;
      value |= (static_cast<unsigned char>(bytes[static_cast<std::size_t>(at / 8)]) >> (at % 8) & 1U) << b;
    }
    const bool negative = into.type.dtype == ir::DType::s8 && (value >> (bits - 1) & 1U) != 0;
    if (bits == 1 && into.type.dtype == ir::DType::s8) {
      values[i] = value == 1 ? 1 : 255;
    } else {
      values[i] = static_cast<std::uint8_t>(negative ? value | ~0U << bits : value);
    }
  }
}

Packing packing_of(const ir::Graph& graph, const ir::State& state) {
  const ir::Value& value = graph.value(state.value);
  const ir::DType dtype = value.type.dtype;
  const auto has = [&](const char* key) { return state.attributes.has(key); };
  const auto fail = [&](const char* key, const std::string& expected) {
    throw Error(fmt::format("state '{}' {} has {}={}, expected {}", value.name, to_string(value.type), key,
                            ir::print_literal(state.attributes.at(key)), expected));
  };
  Packing packing;
  if (has("bits")) packing.bits = state.attributes.integer("bits");
  const bool of_bytes = dtype == ir::DType::s8 || dtype == ir::DType::u8;
  if (has("bits") && (packing.bits < 1 || packing.bits > 8 || !of_bytes)) fail("bits", "an integer from 1 to 8, of s8 or u8");
  if (packing.bits == 8) packing.bits = 0;
  if (!has("levels")) return packing;
  packing.levels = state.attributes.integers("levels");
  if (packing.bits == 0) fail("levels", "none without bits from 1 to 7");
  const std::int64_t low = dtype == ir::DType::s8 ? -128 : 0;
  const auto rises = [](std::int64_t a, std::int64_t b) { return a >= b; };
  if (packing.levels.empty() || packing.levels.size() > std::size_t{1} << packing.bits || packing.levels.front() < low ||
      packing.levels.back() > low + 255 ||
      std::adjacent_find(packing.levels.begin(), packing.levels.end(), rises) != packing.levels.end()) {
    fail("levels", fmt::format("1 to {} integers from {} to {}, ascending", 1 << packing.bits, low, low + 255));
  }
  return packing;
}

Tensor packed(const Tensor& integers, const Packing& packing) {
  if (packing.bits == 0) return integers.clone();
  const std::string bytes = packing.levels.empty() ? pack_integers(integers.view(), packing.bits)
                                                   : pack_integers(indices_of(integers, packing.levels).view(), packing.bits);
  Tensor stored({ir::DType::u8, {static_cast<std::int64_t>(bytes.size())}});
  std::memcpy(stored.view().data, bytes.data(), bytes.size());
  const Tensor again = unpacked(stored, integers.type(), packing);
  const bool same = std::memcmp(again.view().data, integers.view().data, integers.bytes()) == 0;
  return same && stored.type() != integers.type() ? std::move(stored) : integers.clone();
}

Tensor unpacked(const Tensor& packed, const ir::Type& type, const Packing& packing) {
  const std::string bytes(packed.as<const char>(), packed.bytes());
  check_length(bytes, packing.bits, type);
  Tensor integers(type);
  if (packing.levels.empty()) {
    unpack_integers(bytes, packing.bits, integers.view());
    return integers;
  }
  auto* const values = integers.as<std::uint8_t>();
  unpack_integers(bytes, packing.bits, {{ir::DType::u8, type.shape}, values});
  for (std::int64_t i = 0; i < integers.count(); ++i) {
    if (values[i] >= packing.levels.size())
      throw Error(fmt::format("index {} at element {}, expected less than {} (levels)", values[i], i, packing.levels.size()));
    values[i] = static_cast<std::uint8_t>(packing.levels[values[i]]);
  }
  return integers;
}

}  // namespace stair::runtime

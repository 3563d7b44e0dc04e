#include "backends/int8/row_copy.h"

#include <algorithm>
#include <cstring>

#include "backends/int8/memory.h"

namespace stair::backends::int8 {

namespace {

void copy_bytes(const std::uint8_t* from, std::int64_t bytes, bool flip, std::uint8_t* to) {
  if (!flip) {
    std::memcpy(to, from, static_cast<std::size_t>(bytes));
    return;
  }
  for (std::int64_t i = 0; i < bytes; ++i) to[i] = from[i] ^ 0x80;
}

}  // namespace

void RowCopy::copy(const std::uint8_t* input, std::int64_t image, std::int64_t first_row, std::int64_t rows, std::uint8_t padding,
                   std::uint8_t* to) const {
  const Window& w = window;
  const std::int64_t c = w.in_channels;
  const std::int64_t stride_h = w.stride_h / row_step;
  const std::int64_t count = (rows - 1) * stride_h + (w.kernel_height - 1) * w.dilation_h + 1;
  // The copied columns that lie inside the image.
  const std::int64_t first = std::min(columns, quotient_up(w.left, column_step));
  const std::int64_t last = std::clamp(quotient_up(w.in_width + w.left, column_step), first, columns);
  for (std::int64_t r = 0; r < count; ++r) {
    std::uint8_t* row = to + offset(r);
    const std::int64_t h = (first_row * stride_h + r) * row_step - w.top;
    if (!w.row_inside(h)) {
      std::memset(row, padding, static_cast<std::size_t>(row_bytes()));
      continue;
    }
    const std::int64_t line = (image * w.in_height + h) * w.in_width - w.left;
    std::memset(row, padding, static_cast<std::size_t>(first * c));
    if (column_step == 1) {
      copy_bytes(input + (line + first) * c, (last - first) * c, flip, row + first * c);
    } else {
      for (std::int64_t i = first; i < last; ++i) copy_bytes(input + (line + i * column_step) * c, c, flip, row + i * c);
    }
    std::memset(row + last * c, padding, static_cast<std::size_t>((columns - last) * c));
  }
}

}  // namespace stair::backends::int8

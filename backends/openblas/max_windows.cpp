#include "backends/openblas/max_windows.h"

#include <cstring>

#include "backends/multiversion.h"

namespace stair::backends::openblas {
namespace {

// Rows of the input and of the kernel that an output row sees.
struct RowsSeen {
  const float* first;  // the input row of kernel row `top`
  std::int64_t top, bottom;
};

// A window that lies partly in the padding.
void max_window(const Window& g, const RowsSeen& rows, std::int64_t column, float* y, std::uint8_t* index) {
  bool found = false;
  float best = 0;
  std::int64_t at = 0;
  for (std::int64_t kh = rows.top; kh < rows.bottom; ++kh) {
    const float* row = rows.first + (kh - rows.top) * g.in_width;
    for (std::int64_t kw = 0; kw < g.kernel_width; ++kw) {
      const std::int64_t w = g.in_column(column, kw);
      if (!g.column_inside(w) || (found && !(row[w] > best))) continue;
      found = true;
      best = row[w];
      at = kh * g.kernel_width + kw;
    }
  }
  *y = best;
  *index = static_cast<std::uint8_t>(at);
}

template <class T, int lanes>
using Windows __attribute__((vector_size(sizeof(T) * lanes))) = T;

// The windows of `lanes` neighbouring columns; `first` is what the first of them sees first. Stride 0: the window's own.
template <int lanes, int stride>
STAIR_INLINE void max_chunk(const Window& g, const RowsSeen& rows, const float* first, float* y, std::uint8_t* index) {
  const std::int64_t step = stride > 0 ? stride : g.stride_w;
  Windows<float, lanes> best = {};
  Windows<std::int32_t, lanes> at = {};
  for (std::int64_t kh = rows.top; kh < rows.bottom; ++kh) {
    for (std::int64_t kw = 0; kw < g.kernel_width; ++kw) {
      const float* from = first + (kh - rows.top) * g.in_width + kw;
      alignas(64) float values[lanes];
      for (int i = 0; i < lanes; ++i) values[i] = from[i * step];
      Windows<float, lanes> next;
      std::memcpy(&next, values, sizeof(next));
      const auto position = static_cast<std::int32_t>(kh * g.kernel_width + kw);
      if (kh == rows.top && kw == 0) {
        best = next;
        at = position + Windows<std::int32_t, lanes>{};
        continue;
      }
      const Windows<std::int32_t, lanes> greater = next > best;
      at = greater ? position + Windows<std::int32_t, lanes>{} : at;
      best = greater ? next : best;
    }
  }
  std::memcpy(y, &best, sizeof(best));
  alignas(64) std::int32_t which[lanes];
  std::memcpy(which, &at, sizeof(at));
  for (int i = 0; i < lanes; ++i) index[i] = static_cast<std::uint8_t>(which[i]);
}

// Columns [begin, end), whose windows lie between the borders; the last chunk takes some windows once more.
template <int lanes, int stride>
STAIR_INLINE void max_columns(const Window& g, const RowsSeen& rows, std::int64_t begin, std::int64_t end, float* y, std::uint8_t* index) {
  for (std::int64_t i = begin; i < end; i += lanes) {
    const std::int64_t column = std::min(i, end - lanes);
    max_chunk<lanes, stride>(g, rows, rows.first + g.in_column(column, 0), y + column, index + column);
  }
}

template <int stride>
STAIR_INLINE void max_between(const Window& g, const RowsSeen& rows, std::int64_t begin, std::int64_t end, float* y, std::uint8_t* index) {
  if (end - begin >= 16) return max_columns<16, stride>(g, rows, begin, end, y, index);
  if (end - begin >= 4) return max_columns<4, stride>(g, rows, begin, end, y, index);
  max_columns<1, stride>(g, rows, begin, end, y, index);
}

STAIR_MULTIVERSION void max_between_borders(const Window& g, const RowsSeen& rows, std::int64_t begin, std::int64_t end, float* y,
                                            std::uint8_t* index) {
  if (g.stride_w == 1) return max_between<1>(g, rows, begin, end, y, index);
  if (g.stride_w == 2) return max_between<2>(g, rows, begin, end, y, index);
  max_between<0>(g, rows, begin, end, y, index);
}

}  // namespace

void max_windows(const Window& g, const float* x, float* y, std::uint8_t* index) {
  // The columns whose windows have no padding at their sides.
  const std::int64_t begin = g.first_column(0);
  const std::int64_t end = std::max(begin, g.last_column(g.kernel_width - 1));
  for (std::int64_t row = 0; row < g.out_height; ++row, y += g.out_width, index += g.out_width) {
    const std::int64_t top = std::clamp<std::int64_t>(-g.in_row(row, 0), 0, g.kernel_height);
    const std::int64_t bottom = std::clamp<std::int64_t>(g.in_height - g.in_row(row, 0), top, g.kernel_height);
    const RowsSeen rows{x + g.in_row(row, top) * g.in_width, top, bottom};
    for (std::int64_t i = 0; i < begin; ++i) max_window(g, rows, i, y + i, index + i);
    max_between_borders(g, rows, begin, end, y, index);
    for (std::int64_t i = end; i < g.out_width; ++i) max_window(g, rows, i, y + i, index + i);
  }
}

}  // namespace stair::backends::openblas

#pragma once

#include "backends/window.h"

namespace stair::backends::reference {

/// y[n,o] = sum over c, kh, kw (in this order) of (x - offset) * w: a row of the output at a time, so that the inner loop runs over
/// neighbours. Padding adds nothing.
template <class X, class W, class Acc>
void convolve(const Window& g, const X* x, Acc offset, const W* w, Acc* y, int threads) {
  const std::int64_t planes = g.images * g.out_channels;
#pragma omp parallel for num_threads(threads) schedule(static)
  for (std::int64_t plane = 0; plane < planes; ++plane) {
    const std::int64_t n = plane / g.out_channels;
    const std::int64_t o = plane % g.out_channels;
    const std::int64_t first_channel = o / g.group_out() * g.group_in();
    Acc* out = y + plane * g.out_height * g.out_width;
    std::fill(out, out + g.out_height * g.out_width, Acc{0});
    for (std::int64_t c = 0; c < g.group_in(); ++c) {
      const X* image = x + (n * g.in_channels + first_channel + c) * g.in_height * g.in_width;
      for (std::int64_t kh = 0; kh < g.kernel_height; ++kh) {
        for (std::int64_t kw = 0; kw < g.kernel_width; ++kw) {
          const auto weight = static_cast<Acc>(w[((o * g.group_in() + c) * g.kernel_height + kh) * g.kernel_width + kw]);
          const std::int64_t first = g.first_column(kw);
          const std::int64_t last = g.last_column(kw);
          for (std::int64_t oh = 0; oh < g.out_height; ++oh) {
            if (!g.row_inside(g.in_row(oh, kh))) continue;
            const X* row = image + g.in_row(oh, kh) * g.in_width + g.in_column(0, kw);
            Acc* out_row = out + oh * g.out_width;
            if (g.stride_w == 1) {
              for (std::int64_t ow = first; ow < last; ++ow) out_row[ow] += (static_cast<Acc>(row[ow]) - offset) * weight;
            } else {
              for (std::int64_t ow = first; ow < last; ++ow) out_row[ow] += (static_cast<Acc>(row[ow * g.stride_w]) - offset) * weight;
            }
          }
        }
      }
    }
  }
}

}  // namespace stair::backends::reference

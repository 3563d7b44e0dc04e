#!/usr/bin/env bash
# Whether the cost of a training step grows as its work does: GFLOP/s of resnet8 in float and QAT, batch 1 to 512, and its channels once to 8
# times. Prints a table and draws it.
#   tests/bench/scaling.sh [SECONDS] [THREADS] [FILE.svg]     default: 0.5 s a point, 2 threads, docs/scaling.svg
# Exit code 1 where a batch of 16 or more, or a width, falls below half of the best of its curve.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-0.5}
threads=${2:-2}
picture=${3:-docs/scaling.svg}
source tests/bench/build.sh

# AXIS VALUE MODE GFLOP/S IMAGES/S
measure() {  # AXIS VALUE MODEL BATCH
  for mode in float qat; do
    build/release/stair bench "$3" --train --mode $mode --batch "$4" --threads "$threads" --seconds "$seconds" --json >"$folder/point.json"
    awk -F'[:,]' -v axis="$1" -v value="$2" -v mode=$mode '
      /^  "gop_per_s"/ { gflops = $2 }
      /^  "images_per_s"/ { images = $2 }
      END { printf "%s %d %s %.1f %.0f\n", axis, value, mode, gflops, images }' "$folder/point.json"
  done
}

{
  for batch in 1 2 4 8 16 32 64 128 256 512; do measure batch $batch examples/models/resnet8.json $batch; done
  for width in 1 2 4 8; do
    awk -v width=$width '{
      while (match($0, /"channels": [0-9]+/)) {
        printf "%s\"channels\": %d", substr($0, 1, RSTART - 1), width * substr($0, RSTART + 12, RLENGTH - 12)
        $0 = substr($0, RSTART + RLENGTH)
      }
      print
    }' examples/models/resnet8.json >"$folder/resnet8.json"
    measure width $width "$folder/resnet8.json" 32
  done
} | tee "$folder/points"

awk -v picture="$picture" -v threads="$threads" '
  { points[++count] = $0; if ($4 > top) top = $4; key = $1 " " $3; if (!(key in best) || $4 > best[key]) best[key] = $4 }
  function x_of(axis, value) { return (axis == "batch" ? 60 + 400 * log(value) / log(512) : 560 + 200 * log(value) / log(8)) }
  function y_of(gflops) { return 300 - 260 * gflops / top }
  END {
    print "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"800\" height=\"370\" font-family=\"sans-serif\" font-size=\"12\">" > picture
    print "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>" > picture
    printf "<text x=\"60\" y=\"20\" font-size=\"14\">Training resnet8, %d threads: GFLOP/s</text>\n", threads > picture
    for (i = 0; i <= 4; ++i) {
      printf "<line x1=\"60\" x2=\"760\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#ddd\"/>", y_of(top * i / 4), y_of(top * i / 4) > picture
      printf "<text x=\"54\" y=\"%.1f\" text-anchor=\"end\">%.0f</text>\n", y_of(top * i / 4) + 4, top * i / 4 > picture
    }
    color["float"] = "#888888"; color["qat"] = "#0066cc"
    for (i = 1; i <= count; ++i) {
      split(points[i], p, " ")
      line[p[1] " " p[3]] = line[p[1] " " p[3]] sprintf("%.1f,%.1f ", x_of(p[1], p[2]), y_of(p[4]))
      printf "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>", x_of(p[1], p[2]), y_of(p[4]), color[p[3]] > picture
      if (p[3] == "qat") printf "<text x=\"%.1f\" y=\"318\" text-anchor=\"middle\">%s</text>\n", x_of(p[1], p[2]), p[2] > picture
      if ((p[1] == "width" || p[2] >= 16) && 2 * p[4] < best[p[1] " " p[3]]) {
        printf "%s %s, %s: %s GFLOP/s, less than half of the best, %s\n", p[1], p[2], p[3], p[4], best[p[1] " " p[3]]
        failed = 1
      }
    }
    for (key in line) {
      split(key, p, " ")
      printf "<polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"/>\n", line[key], color[p[2]] > picture
    }
    print "<text x=\"260\" y=\"340\" text-anchor=\"middle\">batch</text>" > picture
    print "<text x=\"660\" y=\"340\" text-anchor=\"middle\">times the channels (batch 32)</text>" > picture
    print "<text x=\"60\" y=\"360\" fill=\"#888888\">float</text><text x=\"110\" y=\"360\" fill=\"#0066cc\">QAT</text>" > picture
    print "</svg>" > picture
    exit failed
  }' "$folder/points"

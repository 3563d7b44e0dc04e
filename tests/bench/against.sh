#!/usr/bin/env bash
# This tree's driver against another one (an older build, say), in turn on the same work: steps of training of three networks in float and QAT,
# int8 inference of four; or, of the networks that are named, inference on one image, int8 and float, on one thread and on THREADS. For each:
# median of the pairs' ratios of time, ours over theirs, and its 95 % interval.
#   tests/bench/against.sh OTHER_STAIR [PAIRS] [THREADS] [NETWORK...]     default: 31 pairs, 2 threads
# Exit code 1 where a whole interval lies above 1.01: slower by more than 1 %.
set -euo pipefail
cd "$(dirname "$0")/../.."
other=$(realpath "${1:?expected the other driver}")
pairs=${2:-31}
threads=${3:-2}
if [[ ! $pairs =~ ^[1-9][0-9]*$ || $pairs -lt 6 ]]; then
  echo "against.sh: found '$pairs', expected 6 pairs or more: fewer have no 95 % interval" >&2
  exit 2
fi
networks=("${@:4}")
source tests/bench/build.sh

sed 's/"shape": \[3, 32, 32\]/"shape": [1, 28, 28]/' examples/models/resnet8.json >"$folder/resnet8.json"
cp examples/models/{lenet,mlp}.json "$folder"

# Seconds for an image. DRIVER train NETWORK float|qat, or DRIVER infer NETWORK BATCH, or DRIVER int8|float NETWORK THREADS.
measure() {
  if [ "$2" = train ]; then
    "$1" bench "$folder/$3.json" --train --mode "$4" --batch 64 --threads "$threads" --seconds 0.4 --json
  elif [ "$2" = int8 ]; then
    "$1" bench "examples/models/$3.json" --threads "$4" --seconds 0.12 --json
  elif [ "$2" = float ]; then
    "$1" bench "examples/models/$3.json" --float --threads "$4" --seconds 0.12 --json
  else
    "$1" bench "examples/models/$3.json" --batch "$4" --threads "$threads" --seconds 0.2 --json
  fi | awk -F'[:,]' '/^  "images_per_s"/ { print 1 / $2 }'
}

slower=0
compare() {
  for ((pair = 0; pair < pairs; pair++)); do
    if ((pair % 2 == 0)); then
      ours=$(measure build/release/stair "$@")
      theirs=$(measure "$other" "$@")
    else
      theirs=$(measure "$other" "$@")
      ours=$(measure build/release/stair "$@")
    fi
    awk "BEGIN { print $ours / $theirs }"
  done | sort -g >"$folder/ratios"
  # Ranks of the interval for the median: the largest k with P(Binomial(n, 1/2) < k) <= 0.025.
  awk -v what="$*" '
    { ratio[NR] = $1 }
    END {
      p = 0.5 ^ NR
      for (k = 0; below + p <= 0.025; ++k) { below += p; p *= (NR - k) / (k + 1) }
      low = ratio[k]; high = ratio[NR + 1 - k]
      median = NR % 2 ? ratio[(NR + 1) / 2] : (ratio[NR / 2] + ratio[NR / 2 + 1]) / 2
      printf "%-26s ours over theirs %.3f  [%.3f, %.3f]%s\n", what, median, low, high, (low > 1.01 ? "  slower" : "")
      exit (low > 1.01)
    }' "$folder/ratios" || slower=1
}

for network in "${networks[@]}"; do
  for kind in int8 float; do
    for count in 1 "$threads"; do compare $kind "$network" "$count"; done
  done
done
if [ ${#networks[@]} -gt 0 ]; then exit $slower; fi

for network in lenet resnet8 mlp; do
  for mode in float qat; do compare train $network $mode; done
done
for network in mlp lenet resnet8; do compare infer $network 1; done
for network in lenet resnet18; do compare infer $network 8; done
exit $slower

#!/usr/bin/env bash
# Training speed and memory of LeNet on Fashion-MNIST: an epoch in float and one of 8-bit QAT, in turn, each in a process of its own.
#   tests/bench/training.sh [RUNS] [THREADS]     default: 3 runs, 2 threads. Prints each run and the medians.
set -euo pipefail
cd "$(dirname "$0")/../.."
runs=${1:-3}
threads=${2:-2}
source tests/bench/build.sh

measure() {
  build/release/stair train "tests/bench/lenet_$1.json" --run "$folder/$1" --overwrite --quiet --threads "$threads" |
    sed -n 's/.* \([0-9]*\) images\/s  peak memory \([0-9]*\) MiB.*/\1 \2/p'
}
median() { sort -n | sed -n "$(((runs + 1) / 2))p"; }

for ((run = 1; run <= runs; run++)); do
  for mode in float qat; do
    read -r speed memory < <(measure $mode)
    echo "$speed" >>"$folder/$mode.speed"
    echo "$memory" >>"$folder/$mode.memory"
    echo "run $run: $mode $speed images/s, peak memory $memory MiB"
  done
done
float=$(median <"$folder/float.speed")
qat=$(median <"$folder/qat.speed")
echo "median of $runs, $threads threads: float $float images/s ($(median <"$folder/float.memory") MiB), qat $qat images/s ($(median <"$folder/qat.memory") MiB), qat/float $(awk "BEGIN { printf \"%.2f\", $qat / $float }")"

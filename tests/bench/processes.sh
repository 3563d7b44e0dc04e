#!/usr/bin/env bash
# What shards and processes cost and gain: an epoch of Fashion-MNIST in float, batches of 64, with the batch whole, in two shards, and with
# these shared by two processes of one thread. In turn; prints the medians of images/s.
#   tests/bench/processes.sh [RUNS]     default: 3 runs
set -euo pipefail
cd "$(dirname "$0")/../.."
runs=${1:-3}
if [[ ! $runs =~ ^[1-9][0-9]*$ ]]; then
  echo "processes.sh: found '$runs', expected a number of runs" >&2
  exit 2
fi
source tests/bench/build.sh
if ! command -v mpirun >/dev/null; then
  echo "skipped: mpirun isn't there (Debian: openmpi-bin)"
  exit 0
fi
if [ "$(id -u)" -eq 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi

cp examples/models/lenet.json "$folder/lenet.json"
sed 's/"shape": \[3, 32, 32\]/"shape": [1, 28, 28]/' examples/models/resnet8.json >"$folder/resnet8.json"

# NETWORK, --set SHARDS, what comes before the driver, threads.
measure() {
  $3 build/release/stair train tests/bench/lenet_float.json --set model="$folder/$1.json" --set shards="$2" --run "$folder/run" \
    --overwrite --quiet --threads "$4" | sed -n 's/.* \([0-9]*\) images\/s  peak memory .*/\1/p'
}
median() { sort -n "$1" | sed -n "$(((runs + 1) / 2))p"; }

printf '%-9s %28s %28s %28s\n' network "whole, 1 process, 2 threads" "2 shards, the same" "2 shards, 2 processes"
for network in resnet8 lenet; do
  for ((run = 0; run < runs; run++)); do
    measure $network 1 "" 2 >>"$folder/$network.whole"
    measure $network 2 "" 2 >>"$folder/$network.shards"
    measure $network 2 "mpirun --bind-to none -n 2" 1 >>"$folder/$network.processes"
  done
  printf '%-9s %28s %28s %28s\n' $network "$(median "$folder/$network.whole")" "$(median "$folder/$network.shards")" "$(median "$folder/$network.processes")"
done

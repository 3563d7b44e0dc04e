#!/usr/bin/env bash
# Inference side by side with ONNX Runtime: int8 and float, one thread and two, batch 1 and a large one. Ours and theirs run in turn, each in a
# process of its own; what counts are the medians. Prints a table, and ends with 1 where a network isn't as many times as fast as is asked.
#   tests/bench/onnxruntime.sh [--rounds N] [--seconds S] ONNX_FOLDER NODE_MODULES [NETWORK...]     default: 3 rounds of 1 s, all networks
# ONNX_FOLDER holds NETWORK.int8.onnx and NETWORK.float.onnx: the networks of examples/models with batch-norm folded, random weights, one input
# "x" whose batch is free, int8 as QuantizeLinear and DequantizeLinear (u8 activations, s8 weights a channel). NODE_MODULES holds onnxruntime-node.
set -euo pipefail

rounds=3
duration=1
while [[ "${1:-}" == --* ]]; do
  case $1 in
    --rounds) rounds=${2:?} ;;
    --seconds) duration=${2:?} ;;
    *)
      echo "onnxruntime.sh: unknown flag '$1', expected --rounds or --seconds" >&2
      exit 2
      ;;
  esac
  shift 2
done
onnx=$(realpath -m -- "${1:-.}")
modules=$(realpath -m -- "${2:-node_modules}")
cd "$(dirname "$0")/../.."
networks=("${@:3}")
if [ ${#networks[@]} -eq 0 ]; then networks=(mlp lenet resnet8 resnet20 resnet18 mobilenet_v1); fi

skip() {
  echo "skipped: $1"
  exit 0
}
command -v node >/dev/null || skip "node isn't there (Debian: nodejs)"
if [ ! -d "$modules/onnxruntime-node" ]; then
  skip "'$modules' holds no onnxruntime-node; in a folder outside of the project: npm install --ignore-scripts onnxruntime-node@1.30"
fi
for network in "${networks[@]}"; do
  if [ ! -f "examples/models/$network.json" ]; then
    echo "onnxruntime.sh: no network '$network' in examples/models" >&2
    exit 2
  fi
  for kind in int8 float; do
    if [ ! -f "$onnx/$network.$kind.onnx" ]; then
      skip "'$onnx' holds no $network.$kind.onnx; a script over the Python package onnx (Debian: python3-onnx) writes it"
    fi
  done
done
source tests/bench/build.sh

# How many times as fast as ONNX Runtime is asked: KIND NETWORK BATCH THREADS, in int8 on one image and one thread by the machine.
asked() {
  case "$1 $2 $3 $4" in
    float*) echo 0.77 ;; # at most 1.3 times its time
    "int8 lenet 1 1") echo 5 ;;
    "int8 mlp 1 1" | "int8 resnet8 1 1" | "int8 resnet20 1 1") echo 2 ;;
    "int8 resnet18 1 1") if [ $amx = yes ]; then echo 3; else echo 1.3; fi ;;
    "int8 mobilenet_v1 1 1") if [ $amx = yes ]; then echo 1.8; else echo 1.3; fi ;;
    *) echo 1.5 ;;
  esac
}
large_batch() { case $1 in resnet18 | mobilenet_v1) echo 8 ;; *) echo 64 ;; esac }

ours() { # KIND NETWORK BATCH THREADS
  local flag=()
  if [ "$1" = float ]; then flag=(--float); fi
  build/release/stair bench "examples/models/$2.json" "${flag[@]}" --batch "$3" --threads "$4" --seconds "$duration" --json |
    sed -n 's/^  "median_ms": \([0-9.e-]*\),$/\1/p'
}
theirs() { node tests/bench/onnxruntime.js "$modules" "$onnx/$2.$1.onnx" "$3" "$4" "$duration" | cut -d" " -f1; }
median() { sort -g | sed -n "$(((rounds + 1) / 2))p"; }

amx=no
if build/release/stair bench examples/models/mlp.json --runs 1 --json | grep -q '"isa": "amx"'; then amx=yes; fi
missed=0
printf '%-6s %-14s %5s %7s %12s %12s %7s %6s\n' kind network batch threads "ours ms" "ORT ms" ratio asked
for kind in int8 float; do
  for network in "${networks[@]}"; do
    for batch in 1 "$(large_batch "$network")"; do
      for threads in 1 2; do
        rm -f "$folder"/*
        for ((round = 0; round < rounds; round++)); do
          ours $kind "$network" "$batch" $threads >>"$folder/ours"
          theirs $kind "$network" "$batch" $threads >>"$folder/theirs"
        done
        mine=$(median <"$folder/ours")
        other=$(median <"$folder/theirs")
        ask=$(asked $kind "$network" "$batch" $threads)
        ratio=$(awk "BEGIN { printf \"%.2f\", $other / $mine }")
        verdict=""
        if awk "BEGIN { exit !($other / $mine < $ask) }"; then
          verdict=" missed"
          missed=$((missed + 1))
        fi
        printf '%-6s %-14s %5s %7s %12.4f %12.4f %7s %6s%s\n' $kind "$network" "$batch" $threads "$mine" "$other" "$ratio" "$ask" "$verdict"
      done
    done
  done
done
echo "$missed missed"
[ $missed -eq 0 ]

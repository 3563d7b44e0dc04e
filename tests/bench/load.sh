#!/usr/bin/env bash
# What other programs on the machine cost: inference on one image, int8 and float, one thread and two, and training on two, while nothing else
# runs and beside one and two busy processes. This tree's driver and another one (an older build, say) in turn, each run a process; ONNX
# Runtime beside them where it is there. Prints medians of the rounds' medians and 99th percentiles, in milliseconds.
#   tests/bench/load.sh OTHER_STAIR [--rounds N] [--seconds S] [--onnx ONNX_FOLDER --modules NODE_MODULES] [NETWORK...]
# default: 5 rounds of 0.5 s, six networks; the two folders are those of onnxruntime.sh. Exit code 1 where two threads beside a busy process
# take more than 1.5 times what one takes or more than ONNX Runtime's two, or training on two threads beside one keeps less than 60 % of its
# speed.
set -euo pipefail
other=$(realpath "${1:?expected the other driver}")
shift
rounds=5
duration=0.5
onnx=
modules=
while [[ "${1:-}" == --* ]]; do
  case $1 in
    --rounds) rounds=${2:?} ;;
    --seconds) duration=${2:?} ;;
    --onnx) onnx=$(realpath "${2:?}") ;;
    --modules) modules=$(realpath "${2:?}") ;;
    *)
      echo "load.sh: unknown flag '$1', expected --rounds, --seconds, --onnx or --modules" >&2
      exit 2
      ;;
  esac
  shift 2
done
cd "$(dirname "$0")/../.."
networks=("$@")
trained=("$@")
if [ ${#networks[@]} -eq 0 ]; then
  networks=(mlp lenet resnet8 resnet20 resnet18 mobilenet_v1)
  trained=(lenet resnet20)
fi
source tests/bench/build.sh
if [ -z "$onnx" ] || [ ! -d "$modules/onnxruntime-node" ] || ! command -v node >/dev/null; then
  echo "ONNX Runtime is skipped: --onnx and --modules name no models and no onnxruntime-node, or node isn't there"
  onnx=
fi

busy=()
stop_busy() {
  if [ ${#busy[@]} -gt 0 ]; then kill "${busy[@]}" 2>/dev/null || true; fi
  wait "${busy[@]}" 2>/dev/null || true
  busy=()
}
trap 'stop_busy; rm -rf "$folder"' EXIT
start_busy() { # COUNT
  local i
  for ((i = 0; i < $1; i++)); do
    (while :; do :; done) &
    busy+=($!)
  done
}

# DRIVER int8|float|train_float|train_qat NETWORK THREADS: "MEDIAN P99"; builds that don't tell the latter say "-".
measure() {
  local words=()
  case $2 in
    float) words=(--float) ;;
    train_*) words=(--train --mode "${2#train_}" --batch 64) ;;
  esac
  "$1" bench "examples/models/$3.json" "${words[@]}" --threads "$4" --seconds "$duration" --json |
    awk -F'[:,]' '/^  "median_ms"/ { median = $2 } /^  "p99_ms"/ { last = $2 } END { print median + 0, last == "" ? "-" : last + 0 }'
}
measure_onnx() { # KIND NETWORK THREADS
  node tests/bench/onnxruntime.js "$modules" "$onnx/$2.$1.onnx" 1 "$3" "$duration"
}

median() { sort -g | awk '{ value[NR] = $1 } END { print NR == 0 ? "-" : NR % 2 ? value[(NR + 1) / 2] : (value[NR / 2] + value[NR / 2 + 1]) / 2 }'; }
# FILE: "MEDIAN P99" of its rounds.
middle() { echo "$(cut -d' ' -f1 "$1" | median) $(cut -d' ' -f2 "$1" | { grep -v - || true; } | median)"; }

declare -A ours
slower=0
compare() { # KIND NETWORK THREADS BUSY
  local round
  rm -f "$folder"/*.times
  start_busy "$4"
  for ((round = 0; round < rounds; round++)); do
    measure build/release/stair "$1" "$2" "$3" >>"$folder/ours.times"
    measure "$other" "$1" "$2" "$3" >>"$folder/other.times"
    if [ -n "$onnx" ] && [[ $1 != train* ]]; then measure_onnx "$1" "$2" "$3" >>"$folder/onnx.times"; fi
  done
  stop_busy
  read -r mine last <<<"$(middle "$folder/ours.times")"
  read -r theirs their_last <<<"$(middle "$folder/other.times")"
  local line="- -"
  if [ -f "$folder/onnx.times" ]; then line=$(middle "$folder/onnx.times"); fi
  # shellcheck disable=SC2086
  printf '%-11s %-13s %7s %5s %10.4f %10.4f %10.4f %10s %10s %10s\n' "$1" "$2" "$3" "$4" "$mine" "$last" "$theirs" "${their_last:--}" $line
  ours[$1.$2.$3.$4]=$mine
  if [ -f "$folder/onnx.times" ] && (($3 == 2 && $4 > 0)) && awk "BEGIN { exit !($mine > ${line% *}) }"; then
    echo "$1 $2: two threads beside $4 busy take more than ONNX Runtime's"
    slower=1
  fi
}

printf '%-11s %-13s %7s %5s %10s %10s %10s %10s %10s %10s\n' kind network threads busy "ours ms" p99 "other ms" p99 "ORT ms" p99
for network in "${networks[@]}"; do
  for kind in int8 float; do
    for load in 0 1 2; do
      for threads in 1 2; do compare $kind "$network" $threads $load; done
      if ((load > 0)) && awk "BEGIN { exit !(${ours[$kind.$network.2.$load]} > 1.5 * ${ours[$kind.$network.1.$load]}) }"; then
        echo "$kind $network: two threads beside $load busy take more than 1.5 times what one takes"
        slower=1
      fi
    done
  done
done
for network in "${trained[@]}"; do
  for mode in train_float train_qat; do
    for load in 0 1 2; do compare $mode "$network" 2 $load; done
    kept=$(awk "BEGIN { printf \"%.0f\", 100 * ${ours[$mode.$network.2.0]} / ${ours[$mode.$network.2.1]} }")
    echo "$mode $network: keeps $kept % beside one busy process"
    if [ "$kept" -lt 60 ]; then slower=1; fi
  done
done
exit $slower

#!/usr/bin/env bash
# Pictures in folders against the same pictures in IDX files: images/s of a float epoch on Fashion-MNIST, of a folder whose pictures stay in
# memory, and of one whose pictures are decoded for each batch. In turn, each run a process; prints the medians and their ratios to IDX.
#   tests/bench/folder.sh [--rounds N] [--pictures N] [--threads N] [NETWORK...]
# default: 5 rounds, 20000 pictures, 2 threads, lenet and resnet8. STAIR_BUILD names a folder with both
# programs that is taken as it is, instead of build/release.
set -euo pipefail
rounds=5
pictures=20000
threads=2
while [[ "${1:-}" == --* ]]; do
  case $1 in
    --rounds) rounds=${2:?} ;;
    --pictures) pictures=${2:?} ;;
    --threads) threads=${2:?} ;;
    *)
      echo "folder.sh: unknown flag '$1', expected --rounds, --pictures or --threads" >&2
      exit 2
      ;;
  esac
  shift 2
done
cd "$(dirname "$0")/../.."
networks=("$@")
if [ ${#networks[@]} -eq 0 ]; then networks=(lenet resnet8); fi
build=${STAIR_BUILD:-build/release}
if [ -n "${STAIR_BUILD:-}" ]; then
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
else
  source tests/bench/build.sh
  cmake --build "$build" --target bench_folder_data -- --quiet
fi
"$build/tests/bench_folder_data" /usr/share/datasets/fashion-mnist "$folder" "$pictures" 100

# NETWORK: its model for pictures [1, 28, 28].
model_of() { sed -E 's/("shape": \[)[0-9]+, [0-9]+, [0-9]+\]/\11, 28, 28]/' "examples/models/$1.json"; }

part() { # train|test FORMAT
  case $2 in
    idx) echo "{\"images\": \"$folder/$1-images\", \"labels\": \"$folder/$1-labels\"}" ;;
    folder) echo "{\"folder\": \"$folder/$1\"}" ;;
    decoded) echo "{\"folder\": \"$folder/$1\", \"in_memory\": false}" ;;
  esac
}

measure() { # NETWORK FORMAT
  local format=$2
  if [ "$2" = decoded ]; then format=folder; fi
  cat >"$folder/experiment.json" <<END
{"name": "folder", "model": $(model_of "$1"), "batch": 64,
 "data": {"format": "$format", "train": $(part train "$2"), "test": $(part test "$2"), "mean": [0.286], "std": [0.353]},
 "stages": [{"kind": "float", "epochs": 1, "optimizer": {"learning_rate": 0.01, "momentum": 0.9}}]}
END
  "$build/stair" train "$folder/experiment.json" --run "$folder/run" --overwrite --quiet --threads "$threads" |
    sed -n 's/.* \([0-9]*\) images\/s .*/\1/p'
}
median() { sort -n | sed -n "$(((rounds + 1) / 2))p"; }

printf '%-12s %12s %12s %12s %8s %8s\n' network "IDX /s" "folder /s" "decoded /s" folder decoded
for network in "${networks[@]}"; do
  rm -f "$folder"/*.speed
  for ((round = 0; round < rounds; round++)); do
    for format in idx folder decoded; do measure "$network" $format >>"$folder/$format.speed"; done
  done
  idx=$(median <"$folder/idx.speed")
  kept=$(median <"$folder/folder.speed")
  decoded=$(median <"$folder/decoded.speed")
  awk -v n="$network" -v i="$idx" -v k="$kept" -v d="$decoded" \
    'BEGIN { printf "%-12s %12d %12d %12d %8.2f %8.2f\n", n, i, k, d, k / i, d / i }'
done

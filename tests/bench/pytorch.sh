#!/usr/bin/env bash
# Training side by side with PyTorch: float and 8-bit QAT of the same networks, on two threads. Ours and theirs run in turn, each in a process of
# its own; what counts are the medians. Prints a table and what is asked, and ends with 1 where something asked is missed.
#   tests/bench/pytorch.sh [--rounds N] [--seconds S] TORCH_TRAIN.py [NETWORK...]     default: 3 rounds, ours 2 s each, all networks
# TORCH_TRAIN.py takes NETWORK:float or NETWORK:qat, trains the network of examples/models on random images in the batch below (cross-entropy, SGD
# with momentum; QAT in fbgemm's default configuration, batch-norm fused), and prints a line that ends
# "threads T NETWORK MODE batch B: X ms/step Y img/s rss Z MiB": the median time of a step, and the most memory that the process had.
set -euo pipefail

rounds=3
duration=2
threads=2
while [[ "${1:-}" == --* ]]; do
  case $1 in
    --rounds) rounds=${2:?} ;;
    --seconds) duration=${2:?} ;;
    *)
      echo "pytorch.sh: unknown flag '$1', expected --rounds or --seconds" >&2
      exit 2
      ;;
  esac
  shift 2
done
if [ ! -f "${1:-}" ]; then
  echo "pytorch.sh: no file '${1:-}', expected the script that trains in PyTorch" >&2
  exit 2
fi
peer=$(realpath -- "$1")
cd "$(dirname "$0")/../.."
networks=("${@:2}")
if [ ${#networks[@]} -eq 0 ]; then networks=(lenet resnet8 resnet20 mlp); fi

batch_of() { case $1 in lenet | resnet8) echo 64 ;; resnet20) echo 128 ;; mlp) echo 100 ;; esac }
for network in "${networks[@]}"; do
  if [ -z "$(batch_of "$network")" ]; then
    echo "pytorch.sh: unknown network '$network', expected lenet, resnet8, resnet20 or mlp" >&2
    exit 2
  fi
done
if ! /usr/bin/python3 -c "import torch" 2>/dev/null; then
  echo "skipped: PyTorch isn't there (Debian: python3-torch)"
  exit 0
fi
source tests/bench/build.sh

# Both print the milliseconds of a step and the MiB of the process: NETWORK MODE BATCH.
ours() {
  build/release/stair bench "examples/models/$1.json" --train --mode "$2" --batch "$3" --threads $threads --seconds "$duration" --json |
    awk -F'[:,]' '/^  "step_ms"/ { step = $2 } /^  "peak_rss_mib"/ { memory = $2 } END { print step + 0, memory + 0 }'
}
theirs() {
  local line
  line=$(OMP_NUM_THREADS=$threads /usr/bin/python3 -W ignore "$peer" "$1:$2")
  if [[ ! $line =~ "threads $threads $1 $2 batch $3: "([0-9.]+)" ms/step ".*" rss "([0-9]+)" MiB"$ ]]; then
    echo "pytorch.sh: '$peer' printed '$line', expected 'threads $threads $1 $2 batch $3: X ms/step Y img/s rss Z MiB'" >&2
    exit 2
  fi
  echo "${BASH_REMATCH[1]} ${BASH_REMATCH[2]}"
}
median() { cut -d' ' -f"$1" "$2" | sort -g | sed -n "$(((rounds + 1) / 2))p"; } # FIELD FILE

printf '%-9s %5s  %-23s  %-23s  %9s  %-19s  %9s\n' "" "" "float, images/s" "QAT, images/s" "QAT/float" "QAT, MiB" "QAT/float"
printf '%-9s %5s  %7s %7s %7s  %7s %7s %7s  %9s  %5s %7s %5s  %9s\n' network batch ours PyTorch ratio ours PyTorch ratio step ours PyTorch ratio memory
for network in "${networks[@]}"; do
  batch=$(batch_of "$network")
  for ((round = 0; round < rounds; round++)); do
    for mode in float qat; do
      ours "$network" $mode "$batch" >>"$folder/$network.$mode.ours"
      theirs "$network" $mode "$batch" >>"$folder/$network.$mode.theirs"
    done
  done
  medians=()
  for mode in float qat; do
    for side in ours theirs; do
      for field in 1 2; do medians+=("$(median $field "$folder/$network.$mode.$side")"); done
    done
  done
  echo "$network $batch ${medians[*]}" | awk -v checks="$folder/checks" '
    function check(what, value, relation, bound) {
      met = relation == "<=" ? value <= bound : value >= bound
      printf "%-9s %-40s %6.2f  %s %-4s  %s\n", $1, what, value, relation, bound, met ? "ok" : "missed" >>checks
    }
    BEGIN { speedup["lenet"] = 4; speedup["resnet8"] = 4; speedup["resnet20"] = 2.5; speedup["mlp"] = 3 }
    {
      float_ours = $3; float_theirs = $5; float_memory = $4
      qat_ours = $7; qat_memory = $8; qat_theirs = $9; qat_memory_theirs = $10
      images = 1000 * $2
      printf "%-9s %5d  %7.0f %7.0f %7.2f  %7.0f %7.0f %7.2f  %9.2f  %5.0f %7.0f %5.2f  %9.2f\n", $1, $2,
        images / float_ours, images / float_theirs, float_theirs / float_ours, images / qat_ours, images / qat_theirs, qat_theirs / qat_ours,
        qat_ours / float_ours, qat_memory, qat_memory_theirs, qat_memory / qat_memory_theirs, qat_memory / float_memory
      check("float, images/s, to PyTorch", float_theirs / float_ours, ">=", 1.5)
      check("QAT, images/s, to PyTorch", qat_theirs / qat_ours, ">=", speedup[$1])
      check("QAT step, to float step", qat_ours / float_ours, "<=", 1.1)
      check("QAT, memory, to PyTorch", qat_memory / qat_memory_theirs, "<=", 0.5)
      check("QAT, memory, to float", qat_memory / float_memory, "<=", 1.1)
    }'
done
echo
printf '%-9s %-40s %6s  %s\n' network ratio is asked
cat "$folder/checks"
missed=$(grep -c 'missed$' "$folder/checks") || true
echo "$missed missed"
[ "$missed" -eq 0 ]

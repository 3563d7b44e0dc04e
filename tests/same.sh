#!/usr/bin/env bash
# This tree's driver against another one (that of before a redesign, say) on the same inputs: what must be the same bits is. Both train and
# deploy the experiments and models in examples/, on a part of their data, and random networks under random recipes (tests/same), and print
# what each pipeline of passes makes of the example models. Compared are tensors, graphs and metadata of checkpoints and artifacts; metrics
# and results, but for times, memory and sizes of files; recipes, as values; what `run`, `inspect`, `verify` and `opt` say and write; errors.
#   tests/same.sh OTHER_STAIR [CASES]     default: 100 random networks, behind the examples
#   STAIR_SAME_CASE=I                     random network I alone
#   STAIR_BUILD=FOLDER                    a build that is there already, instead of making build/release
# Exit code 1 where anything differs, or where more than a tenth of the trainings is refused: what both refuse isn't passed, but counted.
set -euo pipefail
export LC_ALL=C
cd "$(dirname "$0")/.."
theirs=$(realpath "${1:?expected the other driver}")
cases=${2:-100}
if [[ ! $cases =~ ^[0-9]+$ || ! ${STAIR_SAME_CASE:-0} =~ ^[0-9]+$ ]]; then
  echo "same.sh: found '$cases' and STAIR_SAME_CASE='${STAIR_SAME_CASE:-}', expected numbers" >&2
  exit 2
fi
if [ -z "${STAIR_BUILD:-}" ]; then
  cmake --preset release >/dev/null
  cmake --build --preset release --target stair same -- --quiet
fi
build=$(realpath "${STAIR_BUILD:-build/release}")
ours=$build/stair
same=$build/tests/same
for file in "$theirs" "$ours" "$same"; do
  if [ ! -x "$file" ]; then
    echo "same.sh: $file is no program" >&2
    exit 2
  fi
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# A line each: LABEL, kind, place, difference ("" for none) of what was compared; "accepted|refused COMMAND" of commands that agreed.
: >"$folder/compared"
: >"$folder/outcomes"

# --- A case: a folder with an experiment, on which both drivers work in turn.

# NAME WORD...: a command of $driver. What it prints is NAME.out, what it says on standard error, and its exit code, NAME.err.
step() {
  local name=$1 code=0
  shift
  "$driver" "$@" >"$name.out" 2>"$name.err" </dev/null || code=$?
  [ $code = 0 ] || echo "exit code $code" >>"$name.err"
  return $code
}

# SETTING...: all that is done with the experiment of the working directory. Leaves the folders run, start and said.
work() {
  local file
  mkdir run start said
  if step train train exp.json --run run --overwrite --quiet --threads 1 "$@"; then
    [ ! -f start.json ] || step start train start.json --run start --overwrite --quiet --threads 1 || true
    if step calibrate calibrate run --recipe calibrate.json --batches 1 --threads 1 -o run/calibrated.safetensors; then
      step export export run/calibrated.safetensors -o run/calibrated.stair || true
    fi
    for file in run/*.stair; do
      [ -f "$file" ] || continue
      step "inspect_${file#run/}" inspect "$file" || true
      step "run_${file#run/}" run "$file" --input x.npy --threads 1 --output "$file.npy" || true
      # The double-precision oracle takes long for what isn't small.
      [ -f large ] || step "verify_${file#run/}" verify "${file%.stair}.safetensors" "$file" --images 4 --threads 1 || true
    done
    step inspect_last inspect run/last.safetensors || true
  fi
  rm -f train.out start.out  # times
  for file in *.out *.err; do
    [ ! -f "$file" ] || mv "$file" said
  done
}

# LABEL OURS THEIRS WHAT: what the comparison of two folders says of their files, a line each, WHAT before their names.
compare() { "$same" compare "$2" "$3" | sed "s|^\([^\t]*\t\)|$1\t\1$4|"; }

# LABEL COMMAND OURS.err THEIRS.err: counts a command that both accepted, or refused with the same words.
count() {
  if ! grep -qs '^exit code' "$3" "$4"; then
    echo "accepted $2" >>"$folder/outcomes"
  elif cmp -s "$3" "$4"; then
    echo "refused $2" >>"$folder/outcomes"
    echo "$1: $(basename "$4" .err) refused by both: $(head -n 1 "$4")"
  fi
}

# LABEL FILE: takes the comparisons in, and tells the first differences.
take() {
  cat "$2" >>"$folder/compared"
  awk -F'\t' -v label="$1" '
    $4 != "" && $2 != "recipe, written otherwise" && ++count <= 3 { printf "%s: %s differs: %s: ours %s\n", label, $2, $3, $4 }
    END { if (count > 3) printf "%s: and %d more\n", label, count - 3 }' "$2"
}

# LABEL FOLDER SETTING...
run_case() {
  local label=$1 at=$2 who part file
  shift 2
  for who in theirs ours; do
    driver=${!who}
    (cd "$at" && work "$@")
    mkdir "$at/$who"
    mv "$at/run" "$at/start" "$at/said" "$at/$who"
  done
  for part in run start said; do compare "$label" "$at/ours/$part" "$at/theirs/$part" $part/; done >"$at/compared"
  # What this driver exports of their checkpoints is what it exports of its own: it reads them, and a recipe that is written in another way
  # is the same value.
  mkdir "$at/exported" "$at/expected"
  driver=$ours
  for file in "$at"/theirs/run/*.stair; do
    part=$(basename "$file")
    [ -f "$at/ours/run/$part" ] || continue
    mv "$at/ours/run/$part" "$at/expected/$part"
    (cd "$at" && step exported export "${file%.stair}.safetensors" -o "exported/$part") || cat "$at/exported.err"
  done
  compare "$label" "$at/expected" "$at/exported" "as exported from theirs, " >"$at/exchanged"
  if awk -F'\t' '$2 == "recipe" { ++all; wrong += $4 != "" } END { exit !all || wrong }' "$at/exchanged"; then
    awk -F'\t' -v OFS='\t' '$2 == "recipe" && $4 != "" { $2 = "recipe, written otherwise" } { print }' "$at/compared" >"$at/all"
  else
    cp "$at/compared" "$at/all"
  fi
  cat "$at/exchanged" >>"$at/all"
  take "$label" "$at/all"
  for file in "$at"/theirs/said/*.err; do
    part=$(basename "$file")
    count "$label" "${part%%[_.]*}" "$at/ours/said/$part" "$file"
  done
  rm -rf "$at"
}

# --- The examples.

mnist=/usr/share/datasets/fashion-mnist
# NAME HEADER BYTES_TO_SKIP BYTES: a part of a file of Fashion-MNIST, under its name.
cut_pictures() {
  printf '%b' "$2" >"$folder/mnist/$1"
  head -c "$4" <(zcat "$mnist/$1.gz" | tail -c "+$(($3 + 1))") >>"$folder/mnist/$1"
}
# 256 and 64 pictures, and three for artifacts.
cut_data() {
  mkdir "$folder/mnist"
  cut_pictures train-images-idx3-ubyte "\0\0\x08\x03\0\0\x01\0\0\0\0\x1c\0\0\0\x1c" 16 $((256 * 784))
  cut_pictures train-labels-idx1-ubyte "\0\0\x08\x01\0\0\x01\0" 8 256
  cut_pictures t10k-images-idx3-ubyte "\0\0\x08\x03\0\0\0\x40\0\0\0\x1c\0\0\0\x1c" 16 $((64 * 784))
  cut_pictures t10k-labels-idx1-ubyte "\0\0\x08\x01\0\0\0\x40" 8 64
  printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' "{'descr': '|u1', 'fortran_order': False, 'shape': (3, 1, 28, 28), }" >"$folder/x.npy"
  head -c 2352 <(tail -c +17 "$folder/mnist/t10k-images-idx3-ubyte") >>"$folder/x.npy"
}

skipped=0
run_examples() {
  local at=$folder/case file
  for file in examples/*.json; do
    if [ ! -f $mnist/train-images-idx3-ubyte.gz ] || grep -o '"/[^"]*"' "$file" | grep -qv "^\"$mnist/"; then
      echo "$file: skipped: its data isn't there"
      skipped=$((skipped + 1))
      continue
    fi
    [ -d "$folder/mnist" ] || cut_data
    mkdir "$at"
    sed "s|\"$mnist/|\"$folder/mnist/|g; s|\"models/|\"$PWD/examples/models/|" "$file" >"$at/exp.json"
    echo '{"base": "int8", "weights": {"bits": 5}}' >"$at/calibrate.json"
    cp "$folder/x.npy" "$at"
    touch "$at/large"
    run_case "$file" "$at" --set batch=8
  done
  for file in examples/models/*.json; do
    if ! grep -q '"input":' "$file"; then
      echo "$file: skipped: several inputs"
      skipped=$((skipped + 1))
      continue
    fi
    mkdir "$at"
    "$same" model "$PWD/$file" "$at"
    touch "$at/large"
    run_case "$file" "$at"
  done
}

# --- What each pipeline of passes/pipelines.cpp makes of the example models, as text.

# RECIPE, and what follows from it: the fold of batch-norm (none where activations stay float), bias, requantization.
recipes=(
  '"int8" scale int32 float'
  '"classic" weight float32 float'
  '"jacob2017" weight int32 fixed_point'
  '"binaryconnect" none float32 float'
  '"binaryconnect_stochastic" none float32 float'
  '{"requantization":"power_of_two","weights":{"bits":4},"activations":{"bits":5,"symmetric":true,"observer":"min_max"}} weight int32 power_of_two'
)

# A line each: NAME PASSES, spelt as $driver spells them.
pipelines() {
  local clean=simplify,common_subexpressions,dead_code line recipe fold bias requantization insert realize evaluation
  local sgd='append_loss,autodiff,append_optimizer{optimizer={momentum=0.9,nesterov=true,weight_decay=0.0001},schedule="cosine",epochs=100}'
  local adamw='append_loss{loss={label_smoothing=0.1}},autodiff'
  adamw+=',append_optimizer{optimizer={kind="adamw",max_norm=1.0},schedule={kind="step",warmup_epochs=5}}'
  local adam='append_optimizer{optimizer="adam",schedule={kind="exponential",every_epochs=10}}'
  # Before optimizers, schedules and losses were kinds, their options lay side by side.
  if "$driver" opt --list | grep '^  label_smoothing: ' >/dev/null; then
    sgd='append_loss,autodiff,append_optimizer{momentum=0.9,nesterov=true,weight_decay=0.0001,schedule="cosine",total_steps=100}'
    adamw='append_loss{label_smoothing=0.1},autodiff,append_optimizer{optimizer="adamw",max_norm=1.0,schedule="step",warmup_steps=5}'
    adam='append_optimizer{optimizer="adam",schedule="exponential",step_size=10}'
  fi
  echo "float_training $sgd,$clean"
  echo "float_training_shard append_loss{loss=\"squared_hinge\"},autodiff,cut_step{part=\"shard\"},$clean"
  echo "float_training_update append_loss{loss=\"mean_squared_error\"},autodiff,cut_step{part=\"update\"},$adam,$clean"
  echo "float_deployment inference_mode,$clean,freeze_states"
  for line in "${recipes[@]}"; do
    read -r recipe fold bias requantization <<<"$line"
    insert="insert_fake_quantize{recipe=$recipe"
    if "$driver" opt --list | grep '^  recipe: a recipe as JSON' >/dev/null; then  # before a recipe was a value
      insert="insert_fake_quantize{recipe=\"${recipe//\"/\\\"}\""
    else
      insert=$(sed 's/"\([a-z_]*\)":/\1=/g' <<<"$insert")
    fi
    if [ "$fold" = none ]; then fold=; else fold="fold_batch_norm{fold=\"$fold\"},"; fi
    realize="realize_integers{bias=\"$bias\",requantization=\"$requantization\"},$clean,prove_accumulators"
    evaluation="inference_mode,$fold$insert,observe=false,training=false}"
    echo "calibration inference_mode,$insert,weights=false,activations=false,training=false},$clean"
    echo "quantized_training $fold$insert},$sgd,$realize,clip_masks,sink"
    echo "quantized_training_delayed $fold$insert,activations=false},$adamw,$realize"
    echo "quantized_training_frozen freeze_batch_norm,$fold$insert,observe=false},$adamw,$realize"
    echo "simulated_evaluation $evaluation"
    echo "deployment $evaluation,$realize,cut_inference{part=\"deploy\"},dead_code,channels_last,dead_code"
    echo "deployment_constants $evaluation,$realize,cut_inference{part=\"constants\"},dead_code"
  done
}

compare_graphs() {
  local at=$folder/graphs who file model name passes number
  for file in examples/models/*.json; do
    model=$PWD/$file
    for who in theirs ours; do
      driver=${!who}
      mkdir -p "$at/$who"
      (
        cd "$at/$who"
        step inspect inspect "$model" || true
        number=0
        pipelines | while read -r name passes; do
          number=$((number + 1))
          step "opt_${number}_$name" opt "$model" --batch 2 --passes "$passes" || true
        done
      )
    done
    compare "$file" "$at/ours" "$at/theirs" "" >"$folder/graphs.compared"
    take "$file" "$folder/graphs.compared"
    for name in "$at"/theirs/*.err; do
      who=$(basename "$name")
      count "$file" "${who%%[_.]*}" "$at/ours/$who" "$name"
    done
    rm -rf "$at"
  done
}

# --- All of it.

if [ -z "${STAIR_SAME_CASE:-}" ]; then
  run_examples
  compare_graphs
  numbers=$(seq 0 $((cases - 1)))
else
  numbers=$STAIR_SAME_CASE
fi
for number in $numbers; do
  mkdir "$folder/case"
  "$same" draw "$number" "$folder/case"
  find "$folder/case" -type f | sort | xargs cat | cksum >>"$folder/drawn"
  run_case "case $number" "$folder/case"
done

echo
awk -F'\t' '
  { ++all[$2]; differing[$2] += $4 != "" }
  END {
    printf "%-26s %9s %9s\n", "", "compared", "differing"
    for (kind in all) printf "%-26s %9d %9d\n", kind, all[kind], differing[kind] | "sort"
  }' "$folder/compared"
echo
awk '
  { ++all[$2]; refused[$2] += $1 == "refused" }
  END {
    printf "%-26s %9s %9s\n", "", "by both:", "refused"
    for (command in all) printf "%-26s %9d %9d\n", command, all[command], refused[command] | "sort"
  }' "$folder/outcomes"
[ $skipped = 0 ] || echo "skipped: $skipped examples without their data"

holds=0
awk -F'\t' '$4 != "" && $2 != "recipe, written otherwise" { wrong = 1 } END { exit wrong }' "$folder/compared" || holds=1
if ! awk '$2 == "train" { ++all; refused += $1 == "refused" } END { exit 10 * refused > all }' "$folder/outcomes"; then
  echo "more than a tenth of the trainings is refused by both: too little is compared"
  holds=1
fi
# The first 100 cases were drawn before the code was changed.
fixed="2118309818 1609"
if [ -z "${STAIR_SAME_CASE:-}" ] && [ "$cases" -ge 100 ] && [ "$(head -n 100 "$folder/drawn" | cksum)" != "$fixed" ]; then
  echo "the first 100 cases are $(head -n 100 "$folder/drawn" | cksum), expected $fixed: others were fixed before the code was changed"
  holds=1
fi
exit $holds

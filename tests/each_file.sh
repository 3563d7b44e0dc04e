#!/usr/bin/env bash
# Compiles every file by itself, headers too, as far as its syntax: what a file needs it must include, and not find among what the files of a
# batch or a precompiled header bring along. Warnings are the builds' matter.
#   tests/each_file.sh BUILD   a folder that the preset `single` has configured
# What many files include is parsed once: a file is compiled behind the largest such header that it includes itself, wherever it does. Since
# that header is checked by itself, too, this finds the same as reading it at its place.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1
often=6 # files that include a header for which it pays
work=$build/each_file
cores=$(nproc)
rm -rf "$work"
mkdir -p "$work"

# FILE<tab>COMMAND
sed -n 's/^ *"command": "\(.*\) -o [^ ]* -c \(.*\)",$/\2\t\1/p' "$build/compile_commands.json" | grep -v "$PWD/build/" | sed 's/\\\(.\)/\1/g' >"$work/files"
# Those of an instruction set are first in its files, which are compiled as they stand.
headers=$(git ls-files '*.h' | grep -v -e ^tests/ -e ^examples/ -e '^backends/int8/.*/')
for header in $headers; do printf '%s\tclang++-14 -DFMT_SHARED -I%s -std=c++20 -x c++\n' "$PWD/$header" "$PWD" >>"$work/files"; done

cut -f1 "$work/files" | xargs sed -n 's/^#include \("[^"]*"\|<fmt.format.h>\|<nlohmann.json.hpp>\).*/\1/p' | sort | uniq -c |
  awk -v often=$often '$1 >= often && $2 !~ /int8\/.*\// {print $2}' >"$work/often"
precompile() {
  local at
  at=$1/$(tr -c 'A-Za-z0-9\n' _ <<<"$2").h
  echo "#include $2" >"$at"
  clang++-14 -DFMT_SHARED -I. -std=c++20 -w -x c++-header "$at" -o "$at.pch"
}
export -f precompile
tr '\n' '\0' <"$work/often" | xargs -0 -P "$cores" -I{} bash -c "precompile '$work' '{}'"

# Largest first. A precompiled header can't be read with other instructions than those that it was written with.
(cd "$work" && stat -c '%s %n' -- *.pch) | sort -rn | awk -v work="$work" '
  FILENAME == "-" { order[++n] = $2; next }
  {
    split($0, field, "\t")
    split("", includes)
    while ((getline line < field[1]) > 0) if (line ~ /^#include /) {
      sub(/^#include /, "", line)
      gsub(/[^A-Za-z0-9]/, "_", line)
      includes[line ".h.pch"] = 1
    }
    close(field[1])
    with = ""
    if (field[2] !~ / -m/) for (i = 1; i <= n && with == ""; ++i) if (order[i] in includes) with = " -Xclang -fno-validate-pch -include-pch " work "/" order[i]
    print field[2] with " -w -fsyntax-only " field[1]
  }' - "$work/files" | xargs -d '\n' -P "$cores" -n 1 sh -c
echo "$(wc -l <"$work/files") files compile by themselves"

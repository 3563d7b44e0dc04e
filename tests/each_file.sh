#!/usr/bin/env bash
# Compiles every file by itself, headers too, as far as its syntax: what a file needs it must include, and not find among what the files of a
# batch or a precompiled header bring along. Warnings are the builds' matter.
#   tests/each_file.sh BUILD   a folder that the preset `single` has configured
# What many files include is parsed once: a file is compiled behind the largest precompiled header that it, or what it includes, includes
# itself. Since that header is checked by itself, too, this finds the same as reading it at its place.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1
often=5 # files that a precompiled header must serve to pay
work=$build/each_file
cores=$(nproc)
rm -rf "$work"
mkdir -p "$work"

# FILE<tab>COMMAND
sed -n 's/^ *"command": "\(.*\) -o [^ ]* -c \(.*\)",$/\2\t\1/p' "$build/compile_commands.json" | grep -v "$PWD/build/" | sed "s/\\\\\(.\)/\1/g;s|^$PWD/||" >"$work/files"
# Those of an instruction set are first in its files, which are compiled as they stand.
headers=$(git ls-files '*.h' | grep -v -e ^tests/ -e ^examples/ -e '^backends/int8/.*/')
for header in $headers; do printf '%s\tclang++-14 -DFMT_SHARED -I. -std=c++20 -x c++\n' "$header" >>"$work/files"; done

# FILE HEADER: each header of the project, or large one of a library, that the file includes, also by way of others. A precompiled header can't
# be read with other instructions than those that it was written with.
grep -v ' -m' "$work/files" | cut -f1 | xargs grep -H '^#include \("\|<fmt/format.h>\|<nlohmann/json.hpp>\|<CLI/CLI.hpp>\)' |
  sed 's/^\([^:]*\):#include ["<]\([^">]*\).*/\1 \2/' |
  awk '
    { direct[$1] = direct[$1] " " $2 }
    function visit(file, from,   list, n, i) {
      n = split(direct[file], list, " ")
      for (i = 1; i <= n; ++i) if (!((from, list[i]) in seen)) {
        seen[from, list[i]] = 1
        print from, list[i]
        visit(list[i], from)
      }
    }
    END { for (file in direct) visit(file, file) }' >"$work/includes"

# FILE HEADER LEVEL: what to compile it behind, `-` where nothing, of what it includes that which includes the most, libraries counting as much
# as they are large; the level of a precompiled header is how many others it is made behind, of other files it is `-`.
awk -v often=$often '
  function cost(header) { return header ~ /^(fmt|nlohmann|CLI)\// ? 30 : 1 }
  function total(header) { return header == "-" ? 0 : size[header] + cost(header) }
  function level(header) { return behind[header] == "-" || !(header in behind) ? 0 : level(behind[header]) + 1 }
  { includes[$1] = includes[$1] " " $2; size[$1] += cost($2) }
  END {
    do {
      split("", users)
      for (file in includes) {
        best = "-"
        n = split(includes[file], list, " ")
        for (i = 1; i <= n; ++i) {
          more = total(list[i]) - total(best)
          if (!(list[i] in few) && (more > 0 || (more == 0 && list[i] < best))) best = list[i]
        }
        behind[file] = best
        ++users[best]
      }
      # The header with the fewest users goes first: its files take the next.
      least = "-"
      for (header in users) {
        more = users[header] - (least == "-" ? often : users[least])
        if (header != "-" && (more < 0 || (more == 0 && least != "-" && header < least))) least = header
      }
      few[least] = 1
    } while (least != "-")
    for (header in users) if (!(header in behind)) behind[header] = "-"
    delete behind["-"]
    for (file in behind) print file, behind[file], file in users ? level(file) : "-"
  }' "$work/includes" >"$work/behind"

# Compiles each FILE<tab>COMMAND behind its precompiled header; with `precompile` it makes them.
compile() {
  awk -v work="$work" -v precompile="${1:-}" '
    function at(header) { gsub(/[^A-Za-z0-9]/, "_", header); return work "/" header ".h" }
    FILENAME != "-" { split($0, f, " "); behind[f[1]] = f[2]; made[f[1]] = f[3] != "-"; next }
    {
      split($0, field, "\t")
      file = field[1]
      if (!precompile && made[file]) next  # checked by that
      with = file in behind && behind[file] != "-" ? " -Xclang -fno-validate-pch -include-pch " at(behind[file]) ".pch" : ""
      what = "-fsyntax-only " file
      if (precompile) {
        print "#include <" file ">" >at(file)
        what = "-Xclang -fpch-instantiate-templates -o " at(file) ".pch " at(file)
      }
      print field[2] with " -w " what
    }' "$work/behind" - | xargs -d '\n' -P "$cores" -n 1 sh -c
}

for level in $(cut -d' ' -f3 "$work/behind" | grep -v - | sort -un); do
  awk -v level="$level" '$3 == level { print $1 "\tclang++-14 -DFMT_SHARED -I. -std=c++20 -x c++-header" }' "$work/behind" | compile precompile
done
compile <"$work/files"
echo "$(wc -l <"$work/files") files compile by themselves"

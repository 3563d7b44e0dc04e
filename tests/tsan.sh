#!/usr/bin/env bash
# Training (its prefetching thread, the threads of both engines) and verification under the thread sanitizer, on the preset `tsan`; the
# arguments are those of `stair`. Archer tells the sanitizer what OpenMP orders. Exit code 66 where threads race.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
export OMP_TOOL_LIBRARIES=/usr/lib/llvm-14/lib/libarcher.so OMP_WAIT_POLICY=passive
export TSAN_OPTIONS="ignore_noninstrumented_modules=1:suppressions=$root/tests/tsan.supp"
exec "$root/build/tsan/stair" "$@"

#!/usr/bin/env bash
# Training (its prefetching thread, the threads of both engines) and verification under the thread sanitizer, on the preset `tsan`; the
# arguments are those of `stair`. Exit code 66 where threads race.
set -euo pipefail
exec "$(cd "$(dirname "$0")/.." && pwd)/build/tsan/stair" "$@"

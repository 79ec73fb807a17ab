#!/usr/bin/env bash
# Runs every fuzz target for FUZZ_SECONDS under ASan and UBSan. What it finds is left in
# build-fuzz/found/: a crashing input belongs into tests/fuzz/corpus/<target>/ with its fix.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${FUZZ_SECONDS:-60}
tools/configure.sh build-fuzz clang -Dbuildtype=debugoptimized -Dfuzz=true \
    -Db_sanitize=address,undefined -Db_lundef=false
ninja -C build-fuzz

failed=0
for program in build-fuzz/tests/fuzz/fuzz_*; do
    if [ ! -f "$program" ] || [ ! -x "$program" ]; then
        continue # the folders of object files
    fi
    target=$(basename "$program")
    target=${target#fuzz_}
    grown=build-fuzz/corpus/$target
    mkdir -p "$grown" build-fuzz/found
    echo "== $target, $seconds s"
    "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="build-fuzz/found/$target-" "$grown" "tests/fuzz/corpus/$target" || failed=1
done
exit "$failed"

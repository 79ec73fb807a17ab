#!/usr/bin/env bash
# Every gate and every test: check.sh [STAGE...]. A stage that fails does not stop the later ones.
# Each integration test runs once, in the build with the sanitizers and the fault points; the two builds without
# sanitizers run the unit tests, the fuzz corpora and the few integration tests of the suite "smoke".
# The last line is "N passed, N failed, N skipped"; the exit status is 1 when anything failed.
set -uo pipefail
cd "$(dirname "$0")/.." || exit

# Format differs from one major version to the next; another one than this skips the gate.
readonly clang_format_version=14
readonly skipped=77     # exit status of a stage that cannot run here
readonly shown_lines=200 # of the log of a stage that fails
readonly sanitize=address,undefined
readonly plain_suites='--suite unit --suite fuzz --suite smoke'
# Links in a fifth of the time that GNU ld takes, where it is installed. "make build" uses the usual one.
if command -v ld.gold >/dev/null; then
    export CC_LD=${CC_LD:-gold}
fi
# One more than there are processors: a test waits now and then, for a disk or for a process to end.
test_processes=$(($(nproc) + 1))
readonly test_processes

# stage|what it does|function and its arguments
readonly stages="
format|formatting of the C files|gate check_format
layers|modules, libraries and functions that may not be used|gate python3 tools/layers.py
test-layers|self-test of the layer script|gate python3 tools/test_layers.py
scripts|syntax and traps of the scripts|gate check_scripts
gcc|gcc with fault points: unit tests, fuzz corpora, smoke tests|suite build-check gcc -Doptimization=2 -Ddebug=false -Dfaults=true -- $plain_suites
reference|docs/reference says what the program says|gate tools/reference.sh check build-check/tenantry
clang|clang, the release build without fault points: unit tests, fuzz corpora, smoke tests|suite build-clang clang -Dbuildtype=release -- $plain_suites
asan|ASan and UBSan with fault points: the whole suite|suite build-asan gcc -Doptimization=1 -Dc_args=-g1 -Dfaults=true -Db_sanitize=$sanitize -Db_lundef=false -- --timeout-multiplier 4
clang-tidy|static analysis by clang-tidy|gate check_tidy
cppcheck|static analysis by cppcheck|gate check_cppcheck
"

# What a sanitizer finds ends the program and shows in its exit status.
export ASAN_OPTIONS=${ASAN_OPTIONS:-halt_on_error=1:abort_on_error=1:detect_leaks=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-halt_on_error=1:abort_on_error=1:print_stacktrace=1}
export PYTHONDONTWRITEBYTECODE=1

work=$(mktemp -d)
readonly work results=$work/results failures=$work/failures
trap 'rm -rf "$work"' EXIT
touch "$results" "$failures"

# record STATUS NAME: one line for the count.
record() {
    printf '%s\t%s\n' "$1" "$2" >>"$results"
}

# record_failure NAME LOG: counts it and keeps the end of its log for the report.
record_failure() {
    record failed "$1"
    {
        printf '\n---- %s\n' "$1"
        tail -n "$shown_lines" "$2"
    } >>"$failures"
}

# gate COMMAND...: one test, passed when the command succeeds.
gate() {
    local log=$work/$stage.log status=0
    "$@" >"$log" 2>&1 || status=$?
    case $status in
    0) record passed "$stage" ;;
    "$skipped")
        record skipped "$stage"
        tail -n 1 "$log"
        ;;
    *) record_failure "$stage" "$log" ;;
    esac
}

build() {
    tools/configure.sh "$@" && ninja -C "$1"
}

# suite FOLDER COMPILER -Doption... [-- what meson test gets]: each test in it counts.
suite() {
    local folder=$1 log=$work/$stage.log options=()
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    [ $# -eq 0 ] || shift
    if ! build "${options[@]}" >"$log" 2>&1; then
        record_failure "$stage: build" "$log"
        return
    fi
    local testlog=$folder/meson-logs/testlog.json status=0
    rm -f "$testlog"
    meson test -C "$folder" --no-rebuild --num-processes "$test_processes" "$@" >"$log" 2>&1 || status=$?
    if ! tools/test_results.py "$stage" "$status" "$testlog" "$results" "$failures" >>"$log" 2>&1; then
        record_failure "$stage: test run" "$log"
    fi
}

check_format() {
    if [[ $(clang-format --version) != *"version $clang_format_version."* ]]; then
        echo "skipped: the format is that of clang-format $clang_format_version"
        return "$skipped"
    fi
    tools/format.sh check
}

check_scripts() {
    local scripts=(tools/*.sh .ci/run) script status=0
    for script in bench/run bench/*.sh deploy/*.sh; do
        if [ -f "$script" ] && head -n 1 "$script" | grep -q 'sh$'; then
            scripts+=("$script")
        fi
    done
    for script in "${scripts[@]}"; do
        bash -n "$script" || status=1
    done
    shellcheck "${scripts[@]}" || status=1
    local python_files
    mapfile -t python_files < <(find tools tests bench packs -name '*.py' 2>/dev/null)
    python3 - "${python_files[@]}" <<'PYTHON' || status=1
import sys
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as f:
        compile(f.read(), path, "exec")
PYTHON
    return "$status"
}

# One file per process, from what the clang stage compiled; generated files lie in the build folder. A file that several
# programs have is compiled for each of them, and clang-tidy looks at it once per row: one row is enough.
check_tidy() {
    python3 - build-clang/compile_commands.json "$work/compile_commands.json" <<'PYTHON' >"$work/tidy-files" || return 1
import json, os, sys
with open(sys.argv[1], encoding="utf-8") as f:
    rows = json.load(f)
row_of = {os.path.normpath(os.path.join(row["directory"], row["file"])): row for row in rows}
row_of = {path: row for path, row in row_of.items() if not path.startswith(row["directory"] + os.sep)}
with open(sys.argv[2], "w", encoding="utf-8") as f:
    json.dump(list(row_of.values()), f)
print("\n".join(sorted(row_of)))
PYTHON
    xargs -d '\n' -r -n 1 -P "$(nproc)" clang-tidy -p "$work" --quiet --warnings-as-errors='*' \
        <"$work/tidy-files" 2>"$work/tidy-errors" || {
        grep -v 'warnings\? generated\|Suppressed\|Use -header-filter\|warnings treated' "$work/tidy-errors"
        return 1
    }
}

check_cppcheck() {
    mkdir -p build-check/cppcheck
    cppcheck --enable=warning,performance,portability --error-exitcode=1 --quiet -j "$(nproc)" \
        --std=c11 --inline-suppr --suppressions-list=tools/cppcheck.suppress \
        --cppcheck-build-dir=build-check/cppcheck -I src -I . src packs tests
}

count() {
    grep -c "^$1	" "$results"
}

main() {
    local what command wanted=" $* " start
    while IFS='|' read -r stage what command; do
        if [ -z "$stage" ] || { [ $# -gt 0 ] && [[ $wanted != *" $stage "* ]]; }; then
            continue
        fi
        printf '== %s: %s\n' "$stage" "$what"
        start=$SECONDS
        local before
        before=$(wc -l <"$results")
        # The arguments of a stage hold no spaces, so that splitting them at spaces is what is meant.
        # shellcheck disable=SC2086
        $command </dev/null
        tail -n "+$((before + 1))" "$results" | awk -F '\t' -v seconds=$((SECONDS - start)) \
            '{ n[$1]++ } END { printf "   %d passed, %d failed, %d skipped in %d s\n",
                                      n["passed"], n["failed"], n["skipped"], seconds }'
    done <<<"$stages"

    if [ -s "$failures" ]; then
        printf '\n== failures\n'
        cat "$failures"
        printf '\n== failed\n'
        sed -n 's/^failed\t/  /p' "$results"
    fi
    local passed failed skips
    passed=$(count passed)
    failed=$(count failed)
    skips=$(count skipped)
    printf '\n%d s in all\n' "$SECONDS"
    printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skips"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}

main "$@"

#!/usr/bin/env bash
# Makes or updates a build folder: configure.sh FOLDER COMPILER -Doption=value...
# A folder that Meson cannot update (another Meson, a tree that was moved) is made again.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$1
export CC=$2
shift 2

if [ -f "$folder/build.ninja" ] && meson configure "$folder" "$@" >/dev/null 2>&1; then
    exit 0
fi
rm -rf "$folder"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! meson setup "$folder" "$@" >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
fi

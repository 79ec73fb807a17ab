#!/usr/bin/env bash
# Formats every C file (format.sh fix) or says which are not formatted (format.sh check).
set -euo pipefail
cd "$(dirname "$0")/.."

folders=()
for folder in src packs tests bench; do
    [ -d "$folder" ] && folders+=("$folder")
done

case "${1:-}" in
fix) action=(-i) ;;
check) action=(--dry-run -Werror) ;;
*)
    echo "usage: format.sh fix|check" >&2
    exit 64
    ;;
esac
find "${folders[@]}" -type f \( -name '*.c' -o -name '*.h' \) -print0 |
    xargs -0 -r "${CLANG_FORMAT:-clang-format}" --style=file "${action[@]}"

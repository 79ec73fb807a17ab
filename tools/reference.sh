#!/usr/bin/env bash
# The reference in docs/reference/, made from the tables of the code:
# reference.sh write|check [PROGRAM]. check fails when a file is not what write would make of it.
# Backquotes in single quotes are Markdown here.
# shellcheck disable=SC2016
set -euo pipefail
cd "$(dirname "$0")/.."

readonly folder=docs/reference
readonly mode=${1:-write} program=${2:-build/tenantry}

# Rows of a .def file, one on each line, as rows of a Markdown table: rows FILE REGEX REPLACEMENT.
# A row that the expression does not fit would be missing from the reference, so it is an error.
rows() {
    local macro=${2%%\\*} made
    made=$(sed -nE "s/^$2\$/$3/p" "$1")
    if [ "$(grep -c "^$macro(" "$1")" -ne "$(wc -l <<<"$made")" ]; then
        echo "reference: a row of $1 has a form that tools/reference.sh does not know" >&2
        exit 65
    fi
    printf '%s\n' "$made"
}

lint_rules() {
    printf '# Rules of the linter\n\n'
    printf 'An error keeps "blueprint add" from adding the blueprint, a warning does not; what is found in the body\n'
    printf 'of a DO block is a warning, whatever the rule. The tier "row" means: only for blueprints that offer the\n'
    printf 'row tier; "live": for what existed before the version, with '
    printf '[a section each](../rollout-lint.md).\n\n'
    printf '| rule | severity | tier | what is wrong | what to do |\n| --- | --- | --- | --- | --- |\n'
    rows src/blueprint/lint.def 'LINT\((\w+), (\w+), (\w+), "(.*)", "(.*)"\)' \
        '| <a id="\1"><\/a>`\1` | \L\2 | \3\E | \4 | \5 |'
}

locks() {
    printf '# What statements lock\n\n'
    printf 'The mode that each takes on tables that are there, until the transaction ends, and whether the table is read\n'
    printf '(scans, indexes) or written (rewrites) whole meanwhile. ALTER TABLE takes the strongest of its sub-commands.\n\n'
    printf '| statement | lock | work |\n| --- | --- | --- |\n'
    rows src/blueprint/locks.def 'LOCK\("\w+", "[^"]*", (\w+), (\w+), "(.*)"\)' '| \3 | \1 | \2 |' |
        awk -F ' \\| ' -v OFS=' | ' '{ gsub(/_/, " ", $2); $3 = tolower($3); sub(/none/, "", $3); print }'
}

settings() {
    printf '# Settings of plans\n\n'
    printf 'What `plans.*.settings` of a manifest may hold. Numbers take the units of PostgreSQL.\n\n'
    printf '| setting | values | what it does |\n| --- | --- | --- |\n'
    rows src/blueprint/settings.def 'SETTING\((\w+), (\w+), (\w+), (\w+), (.*), "([^"]*)"\)' \
        '| `\1` | \2 \3 to \4 \5 | \6 |' |
        sed -E -e 's/\| MS ([0-9]+) to ([0-9]+) NULL/| time, \1 to \2 ms/' \
            -e 's/\| KB ([0-9]+) to ([0-9]+) NULL/| size, \1 to \2 kB/' \
            -e 's/\| PAGES ([0-9]+) to ([0-9]+) NULL/| size, \1 to \2 pages of 8 kB/' \
            -e 's/\| INT ([0-9]+) to ([0-9]+) NULL/| \1 to \2/' \
            -e 's/\| BOOL 0 to 0 NULL/| on, off/' \
            -e 's/\| ENUM 0 to 0 "([^"]*)"/| \1/' |
        awk -F ' \\| ' -v OFS=' | ' '{ gsub(/\|/, ", ", $2); print }'
}

where_columns() {
    printf '# Columns of --where\n\n'
    printf 'What an expression that [chooses tenants](../rollout.md#which-tenants) may name. A text in quotes may stand for\n'
    printf 'a text or a time; texts are a list.\n\n'
    printf '| column | kind | what |\n| --- | --- | --- |\n'
    rows src/rollout/where.def 'COLUMN\("(\w+)", KIND_(\w+), "(.*)"\)' '| `\1` | \L\2\E | \3 |'
}

# FILE COMMAND...: writes the file, or compares it.
put() {
    local file=$folder/$1.md made
    shift
    made=$(printf '<!-- Made by tools/reference.sh from the code; do not edit. -->\n\n' && "$@") || return
    if [ "$mode" = write ]; then
        printf '%s\n' "$made" >"$file"
    elif ! diff -u "$file" - <<<"$made"; then
        echo "reference: $file is stale; run: ninja -C build && tools/reference.sh write" >&2
        return 1
    fi
}

main() {
    local status=0
    put options "$program" docs options || status=1
    put operations "$program" docs operations || status=1
    put errors "$program" docs errors || status=1
    put isolation "$program" docs isolation || status=1
    put lint lint_rules || status=1
    put locks locks || status=1
    put settings settings || status=1
    put where where_columns || status=1
    return "$status"
}

main

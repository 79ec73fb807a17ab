#!/usr/bin/env bash
# Starts the embedded PostgreSQL in a data directory of its own and shows the platform at work. Nothing but
# TENANTRY_DATA_DIR can change that: a database URL that somebody has set is of a database where no demo belongs.
set -euo pipefail
cd "$(dirname "$0")/.."

data_dir=${TENANTRY_DATA_DIR:-}
if [ -z "$data_dir" ]; then
    if [ "$(id -u)" -eq 0 ]; then
        data_dir=/var/lib/tenantry-demo
    else
        data_dir=~/.local/share/tenantry-demo # also without HOME
    fi
fi
mapfile -t left_out < <(compgen -e TENANTRY_ | grep -vxF TENANTRY_DATA_DIR || true)
unset TENANTRY_DATA_DIR "${left_out[@]}"

# As flags, so that the commands that the demo ends with begin with them.
run() { build/tenantry --config=/dev/null --data-dir="$data_dir" "$1"; }

run up
run demo
if [ ${#left_out[@]} -gt 0 ]; then
    printf 'left out of all this, and to be left out of the commands above too: unset %s\n' "${left_out[*]}"
fi

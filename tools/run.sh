#!/usr/bin/env bash
# Starts the embedded PostgreSQL in a data directory of its own and shows the platform at work.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ -z "${TENANTRY_DATA_DIR:-}" ]; then
    if [ "$(id -u)" -eq 0 ]; then
        TENANTRY_DATA_DIR=/var/lib/tenantry-demo
    else
        TENANTRY_DATA_DIR=~/.local/share/tenantry-demo # also without HOME
    fi
fi
export TENANTRY_DATA_DIR

build/tenantry up
build/tenantry demo

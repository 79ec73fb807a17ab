#!/usr/bin/env bash
# Installs the Debian packages that are missing: deps.sh [build] [check]. Does nothing when all are there.
set -euo pipefail

readonly oldest_postgresql=15 newest_postgresql=18

# package|needed for|what for. "postgresql-server" stands for any version that Tenantry supports.
readonly packages='
clang|check|the second compiler, fuzzing
clang-format|check|the format gate
clang-tidy|check|the static analysis gate
cppcheck|check|the second static analysis gate
gcc|build|the C compiler
libc6-dev|build|headers of the C library
libclang-rt-dev|check|sanitizer and fuzzing runtime of clang
libcmocka-dev|check|the unit tests
libjansson-dev|build|JSON
libpg-query-dev|build|the parser of PostgreSQL
libpq-dev|build|the client library of PostgreSQL
libssl-dev|build|encryption, password verifiers
libxml2-dev|build|reports of isolation as JUnit XML
libyaml-dev|build|blueprint manifests
make|build|the commands of the Makefile
meson|build|the build
ninja-build|build|the build
openssl|check|keys that sign scripts, in the integration tests
pkg-config|build|finding the libraries
pgbouncer|check|the tests of pooled connections
postgresql-server|build|the embedded server and pg_dump
python3|build|the embedding of files, the integration tests
shellcheck|check|the gate of the shell scripts
'

is_installed() {
    # A package that another one provides (pkgconf for pkg-config) counts, as it does for apt.
    [ "$(dpkg-query -W -f='${db:Status-Status}\n' "$1" 2>/dev/null)" = installed ] || {
        dpkg-query -W -f='${db:Status-Status} ${Provides},\n' |
            awk -v name="$1" '$1 == "installed" { $1 = ""; if ($0 ~ "[ ,]" name "( \\(|,)") found = 1 }
                              END { exit !found }'
    }
}

has_postgresql_server() {
    local version
    for ((version = newest_postgresql; version >= oldest_postgresql; version--)); do
        if is_installed "postgresql-$version"; then
            return 0
        fi
    done
    return 1
}

# The newest supported server that apt offers.
postgresql_package() {
    local version policy
    for ((version = newest_postgresql; version >= oldest_postgresql; version--)); do
        policy=$(LC_ALL=C apt-cache policy "postgresql-$version")
        if [[ $policy =~ Candidate:\ [^\(] ]]; then
            echo "postgresql-$version"
            return
        fi
    done
    echo "deps: apt offers no PostgreSQL $oldest_postgresql to $newest_postgresql" >&2
    exit 69
}

is_there() {
    if [ "$1" = postgresql-server ]; then
        has_postgresql_server
    else
        is_installed "$1"
    fi
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo --preserve-env=DEBIAN_FRONTEND "$@"
    fi
}

apt_install() {
    DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -qq --no-install-recommends "$@"
}

# Debian's server package creates and starts a cluster "main" on port 5432, which Tenantry does not
# use. It is told not to, but only where PostgreSQL was never installed: elsewhere the file is the
# administrator's.
prepare_postgresql() {
    local conf=/etc/postgresql-common/createcluster.conf
    if is_installed postgresql-common || [ -e "$conf" ]; then
        echo "deps: $conf is left as it is"
        return
    fi
    apt_install postgresql-common
    echo "deps: setting create_main_cluster = false in $conf, so that no server is started on port 5432"
    echo 'create_main_cluster = false' | as_root tee -a "$conf" >/dev/null
}

main() {
    local wanted=" ${*:-build check} " package need what missing=()
    command -v dpkg-query >/dev/null || {
        echo "deps: this is not a Debian system; install what tools/deps.sh lists by other means" >&2
        exit 69
    }
    while IFS='|' read -r package need what; do
        if [ -n "$package" ] && [[ $wanted == *" $need "* ]] && ! is_there "$package"; then
            [ ${#missing[@]} -gt 0 ] || echo "deps: these packages are missing and will be installed:"
            printf '  %-18s %s\n' "$package" "$what"
            missing+=("$package")
        fi
    done <<<"$packages"
    if [ ${#missing[@]} -eq 0 ]; then
        echo "deps: all packages are installed"
        return
    fi
    if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
        echo "deps: installing needs root, and there is no sudo; as root, run: make deps" >&2
        exit 77
    fi
    as_root apt-get update -qq
    for package in "${!missing[@]}"; do
        if [ "${missing[package]}" = postgresql-server ]; then
            missing[package]=$(postgresql_package)
            prepare_postgresql
        fi
    done
    apt_install "${missing[@]}"
    echo "deps: done"
}

main "$@"

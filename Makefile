# Short names for what Meson and tools/ do; nothing is decided here.
PREFIX ?= /usr/local
DESTDIR ?=
FUZZ_SECONDS ?= 60

.DEFAULT_GOAL := help
.PHONY: run check bench fuzz tsan build format deps install clean help

run: ## install what the build needs, build, start a demo platform
	@tools/deps.sh build
	@$(MAKE) --no-print-directory build
	@tools/run.sh

check: ## every gate and test; the last line counts them
	@tools/deps.sh build check
	@tools/check.sh

bench: build ## measure against raw PostgreSQL on this machine
	@bench/run

fuzz: ## fuzz every parser of outside bytes, FUZZ_SECONDS (60) each
	@tools/deps.sh build check
	@FUZZ_SECONDS=$(FUZZ_SECONDS) tools/fuzz.sh

tsan: ## the unit tests under ThreadSanitizer
	@tools/deps.sh build check
	@tools/configure.sh build-tsan gcc -Dbuildtype=debugoptimized -Db_sanitize=thread -Db_lundef=false
	@ninja -C build-tsan
	@meson test -C build-tsan --suite unit --print-errorlogs

build: ## the release build, in build/
	@tools/configure.sh build "$(CC)" -Dbuildtype=release -Dtests=false -Dprefix="$(PREFIX)"
	@ninja -C build

format: ## clang-format every C file
	@tools/format.sh fix

deps: ## install the Debian packages that are missing
	@tools/deps.sh build check

install: build ## program, manual page, completions, documentation; honours PREFIX and DESTDIR
	@DESTDIR="$(DESTDIR)" meson install -C build --no-rebuild

clean: ## remove the build folders
	rm -rf build build-check build-clang build-asan build-release build-tsan build-fuzz

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

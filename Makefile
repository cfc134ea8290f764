# `make` lists what there is to do. `make demo` is all a first visitor needs; it sets itself up.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory
.SUFFIXES:

PYTHON ?= python3
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
CODE := $(wildcard firmware_bridge controller sim tests benchmarks)

# Stamps: what was done last, so that a second run costs nothing. A checkout that moved, or whose Python
# went away with an upgrade, has a dead .venv: it is made again.
HAVE_VENV := $(VENV)/.have-venv
HAVE_RUN := $(VENV)/.have-run
HAVE_DEV := $(VENV)/.have-dev
HAVE_SELF := $(VENV)/.have-self
HAVE_PEERS := $(VENV)-peers/.have-peers
ifneq ($(wildcard $(HAVE_VENV)),)
ifneq ($(shell $(BIN)/python -c 'import sys; print(sys.prefix)' 2>/dev/null),$(shell cat $(HAVE_VENV)))
$(shell rm -f $(VENV)/.have-*)
endif
endif

# $(call pip_install,WHAT,ARGUMENTS): one changing line on a terminal, one line elsewhere, the log's end on failure.
# Progress is read from pip's own lines; wheels are wanted for all but cobs, which has none.
define pip_install
@printf '  %s\n' "$(1)"; log=$(VENV)/setup.log; \
if ! PYTHONUNBUFFERED=1 $(BIN)/python -m pip --disable-pip-version-check --no-input install $(2) 2>&1 | tee "$$log" | \
	while read -r word name rest; do \
		case "$$word" in Collecting|Downloading|Installing|Building) \
			if [ -t 1 ]; then printf '\r\033[K    %.60s' "$${word,,} $${name%%[=;]*}"; fi ;; \
		esac; \
	done; \
then [ ! -t 1 ] || printf '\r\033[K'; tail -n 20 "$$log"; \
	echo "Set-up failed at: $(1). The whole story is in $$log; run make again to go on from here."; exit 1; fi; \
[ ! -t 1 ] || printf '\r\033[K'
endef

.PHONY: help
help:  ## this list
	@echo "make TARGET [ARGS=\"...\"] [PYTHON=python3.x]"
	@sed -n 's/^\([a-z-]*\):.*##  *\(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-16s %s\n", $$1, $$2}'

.PHONY: setup
setup: $(HAVE_SELF) $(HAVE_DEV)  ## .venv with all that is needed to run and to develop, and an MQTT broker in it
	@scripts/get-mosquitto.sh --retry
	@echo "ready: $(BIN)/leakctl, $(BIN)/leaksim"

.PHONY: demo
demo: $(HAVE_SELF) broker  ## a simulated leak, found: ARGS go to `leaksim demo`
	@exec $(BIN)/leaksim demo $(ARGS)

.PHONY: demo-hil
demo-hil: $(HAVE_SELF) broker firmware  ## the same with the C firmware on every node; ARGS="--nodes qemu --speed 1" emulates Cortex-M3s
	@exec $(BIN)/leaksim demo --nodes native $(ARGS)

.PHONY: firmware firmware-qemu
firmware:  ## the sensor node's C firmware as a process on this machine: build/firmware/leaknode
	@$(MAKE) -C firmware_bridge/firmware native
firmware-qemu:  ## the same for an emulated Cortex-M3; needs gcc-arm-none-eabi (and qemu-system-arm to run)
	@$(MAKE) -C firmware_bridge/firmware qemu

.PHONY: test
test: $(HAVE_SELF) $(HAVE_DEV) broker  ## the quick tests: ARGS go to pytest
	@exec $(BIN)/python -m pytest $(ARGS)

.PHONY: test-slow
test-slow: $(HAVE_SELF) $(HAVE_DEV) broker  ## the slow and the statistical tests
	@exec $(BIN)/python -m pytest -m "slow or statistical" --timeout 3600 $(ARGS)

.PHONY: fuzz
fuzz: $(HAVE_SELF) $(HAVE_DEV)  ## ten megabytes of damage through framing, codec and nodes, in C and Python: ARGS="MEGABYTES SEED"
	@exec $(BIN)/python -m tests.support.fuzz $(ARGS)

.PHONY: check
check: $(HAVE_SELF) $(HAVE_DEV)  ## style, types, import walls: all of them, whichever fails
	@failed=(); \
	run() { local what=$$1; shift; echo; echo "== $$what"; "$$@" || failed+=("$$what"); }; \
	run "ruff check" $(BIN)/ruff check .; \
	run "ruff format --check" $(BIN)/ruff format --check .; \
	run "mypy" $(BIN)/mypy $(CODE); \
	run "lint-imports" $(BIN)/lint-imports --no-logo; \
	if command -v cppcheck >/dev/null; then run "cppcheck" $(MAKE) -C firmware_bridge/firmware lint; fi; \
	if command -v shellcheck >/dev/null; then run "shellcheck" shellcheck .ci/run scripts/*.sh; fi; \
	echo; if [ $${#failed[@]} -gt 0 ]; then \
		printf 'check failed:'; printf ' [%s]' "$${failed[@]}"; echo; exit 1; \
	fi; echo "check: all good"

.PHONY: bench
bench: $(HAVE_SELF) $(HAVE_DEV)  ## speed and finds, measured: ARGS go to `python -m benchmarks`; with `make peers` beside others
	@exec $(BIN)/python -m benchmarks $(ARGS)

.PHONY: peers
peers: $(HAVE_PEERS)  ## other people's programs for `make bench`, in .venv-peers: 6 GB

$(HAVE_PEERS): requirements/peers.txt | $(HAVE_VENV)
	@$(PYTHON) -m venv --clear $(VENV)-peers
	@echo "  6 GB of peers (minutes)"; $(VENV)-peers/bin/python -m pip --disable-pip-version-check --no-input install \
		--quiet --require-hashes -r requirements/build.txt
	@$(VENV)-peers/bin/python -m pip --disable-pip-version-check --no-input install \
		--quiet --require-hashes --no-build-isolation -r requirements/peers.txt
	@touch $@

# The locks hold hashes and no address. Fewest forks: the same numpy, scipy and stubs on every Python, so the same numbers
# and the same findings. --no-config: no settings of one machine shape them.
LOCK := $(BIN)/uv pip compile --no-config --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate

.PHONY: lock
lock: $(HAVE_DEV)  ## requirements/ anew from pyproject.toml; ARGS=--upgrade takes the newest of everything
	@mkdir -p requirements
	@$(LOCK) $(ARGS) pyproject.toml --extra report --group build -o requirements/run.txt
	@$(LOCK) $(ARGS) pyproject.toml --extra report --extra campaign --group build --group dev -c requirements/run.txt -o requirements/dev.txt
	@$(LOCK) $(ARGS) --group build -c requirements/run.txt -o requirements/build.txt
	@$(LOCK) $(ARGS) pyproject.toml --extra peers --group build -o requirements/peers.txt
	@if grep -n '://' requirements/*.txt; then echo "a lock holds an address"; exit 1; fi
	@wc -l requirements/*.txt

.PHONY: clean
clean:  ## caches and build leftovers away (.venv and out/ stay: remove those yourself)
	@rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage htmlcov
	@find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +

# ---------------------------------------------------------------------------- set-up, step by step

.PHONY: broker
broker: $(HAVE_VENV)
	@scripts/get-mosquitto.sh

$(HAVE_VENV):
	@echo "set-up (once): $(VENV)"
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON) here: sudo apt install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$(PYTHON) is $$($(PYTHON) -V 2>&1); leakloc needs Python 3.11 or later: make PYTHON=python3.11 ..."; exit 1; }
	@if ! $(PYTHON) -c 'from ensurepip import version; import venv' 2>/dev/null; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "  python3-venv is missing: installing it"; \
			apt-get -qq update >/dev/null || true; \
			DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 install -y python3-venv >/dev/null; \
		fi; \
		$(PYTHON) -c 'from ensurepip import version; import venv' 2>/dev/null || { \
			echo "$(PYTHON) cannot make virtual environments: sudo apt install python3-venv"; exit 1; }; \
	fi
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -c 'import sys; print(sys.prefix)' >$@

# The build backends first, from their own lock; then nothing is built with anything that has no hash.
$(HAVE_RUN): requirements/build.txt requirements/run.txt | $(HAVE_VENV)
	$(call pip_install,packages for building,--require-hashes -r requirements/build.txt)
	$(call pip_install,packages for running (250 MB on disk),\
		--require-hashes --no-build-isolation -r requirements/run.txt)
	@touch $@

$(HAVE_DEV): requirements/dev.txt | $(HAVE_RUN)
	$(call pip_install,packages for developing,--require-hashes --no-build-isolation -r requirements/dev.txt)
	@touch $@

$(HAVE_SELF): pyproject.toml | $(HAVE_RUN)
	$(call pip_install,leakloc itself,--no-deps --no-build-isolation -e .)
	@touch $@

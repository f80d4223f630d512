# The two commands to know: `make demo` and `make test`. Both do all set-up (a .venv, the pinned tools, the compiled core)
# and need only Python 3.11+ and cargo. Works with GNU make 3.81 (macOS).

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
REQUIRED := import sys; sys.exit(sys.version_info < (3, 11))

# The first interpreter that is new enough; `make PYTHON=/path/to/python test` chooses another.
ifndef PYTHON
PYTHON := $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c '$(REQUIRED)' >/dev/null 2>&1 && { echo "$$p"; break; }; done)
endif

# rustup's cargo looks for its toolchains below $HOME. Under another HOME (a build server, a hermetic run) they are still
# where cargo itself was installed, so that is where we point it.
ifndef RUSTUP_HOME
ifeq ($(shell cargo --version >/dev/null 2>&1 || echo broken),broken)
RUSTUP_HOME := $(shell c=$$(command -v cargo) && d=$$(dirname "$$(dirname "$$c")") && \
	for h in "$$(dirname "$$d")/.rustup" "$$(dirname "$$d")/rustup"; do [ -d "$$h/toolchains" ] && { echo "$$h"; break; }; done)
ifneq ($(RUSTUP_HOME),)
export RUSTUP_HOME
endif
endif
endif

RUST_SOURCES := Cargo.toml Cargo.lock $(shell find rust -name '*.rs' -o -name Cargo.toml)
MATURIN := VIRTUAL_ENV="$(CURDIR)/$(VENV)" $(BIN)/maturin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes

.PHONY: help demo test test-quick test-rust check check-format check-lint check-types check-imports check-stubs \
	bench wheel bless build tools dev format lock clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

demo: build  ## build the core and run the main job on a bundled log, step by step
	@sh examples/demo.sh "$(CURDIR)/$(BIN)"

test: dev wheel test-rust  ## every test, the slow ones too
	@OPENSESSION_WHEEL="$(CURDIR)/dist" $(BIN)/python -m pytest -n auto

test-quick: dev  ## the tests that take less than a minute together
	@$(BIN)/python -m pytest -n auto -m "not slow and not corpus"

test-rust: need-cargo
	@if cargo nextest --version >/dev/null 2>&1; \
	then cargo nextest run --locked -p opensession-core --no-tests pass && cargo test --locked --quiet -p opensession-core --doc; \
	else cargo test --locked --quiet -p opensession-core; fi

check: check-format check-lint check-types check-stubs check-imports test  ## format, lint, types, stubs, layers, then all tests

check-format: tools need-cargo
	@$(BIN)/ruff format --check --quiet .
	@cargo fmt --all --check

check-lint: tools need-cargo
	@$(BIN)/ruff check --quiet .
	@cargo clippy --locked --quiet --workspace --all-targets -- -D warnings

check-types: tools
	@$(BIN)/mypy

check-stubs: dev
	@$(BIN)/python -m mypy.stubtest --mypy-config-file pyproject.toml \
		--allowlist tests/stubtest-allowlist.txt opensession._core

check-imports: tools
	@PYTHONPATH=python $(BIN)/lint-imports --no-cache

bench: dev  ## print the benchmark table (ARGS="--help" for its options)
	@$(BIN)/python benches/run.py $(ARGS)

wheel: $(VENV)/.build need-cargo  ## build the abi3 wheel into dist/
	@rm -f dist/*.whl
	@$(MATURIN) build --quiet --release --locked --out dist

bless: dev  ## rewrite the expected fixtures; read the diff before committing it
	@OPENSESSION_BLESS=1 $(BIN)/python -m pytest -q -n 0 -m "not corpus" -k "snapshot or golden"

format: tools  ## format Python and Rust
	@$(BIN)/ruff format --quiet . && $(BIN)/ruff check --quiet --fix . ; cargo fmt --all

lock:  ## pin the newest versions of the tools again (needs uv)
	@uv pip compile -q --universal --generate-hashes --no-header --upgrade --python-version 3.11 requirements-build.in -o requirements-build.lock
	@uv pip compile -q --universal --generate-hashes --no-header --upgrade --python-version 3.11 requirements-dev.in -o requirements-dev.lock

clean:
	@rm -rf $(VENV) dist target python/opensession/_core*.so

build: $(VENV)/.built
tools: $(VENV)/.dev
dev: tools build

.PHONY: need-python need-cargo
need-python:
	@if [ -z "$(PYTHON)" ]; then echo "Error: Python 3.11 or newer was not found."; \
	echo "next:"; echo "- make PYTHON=/path/to/python3.11 test"; exit 2; fi >&2

need-cargo:
	@if ! cargo --version >/dev/null 2>&1; then echo "Error: cargo was not found or has no toolchain (the core is Rust)."; \
	echo "next:"; echo "- install Rust from https://rustup.rs"; echo "- rustup default stable"; exit 2; fi >&2

$(VENV)/bin/python: | need-python
	@echo "creating $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.build: requirements-build.lock | $(VENV)/bin/python
	@$(PIP) -r requirements-build.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock | $(VENV)/bin/python
	@echo "installing the pinned tools"
	@$(PIP) -r requirements-dev.lock
	@touch $@

$(VENV)/.built: $(RUST_SOURCES) pyproject.toml | $(VENV)/.build need-cargo
	@echo "building the core in release mode"
	@$(MATURIN) develop --quiet --release --locked
	@touch $@

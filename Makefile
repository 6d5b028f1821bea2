# Omniline. `make demo` shows it, `make test` is the gate; both need python3.11 or newer, pip and make, nothing else.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3; do \
	$$p -c 'import sys, pip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
STAMP := .venv/.installed
TYPED := domain ingestion projections dashboards omniline.py
ARGS ?=

.PHONY: help setup demo test bench soak mutants fmt clean

help:
	@echo "make demo    a generated year of a retailer's roll-out, on http://127.0.0.1:8501"
	@echo "make test    the gate: ruff, mypy, import-linter, pytest"
	@echo "make bench   figures against the libraries underneath (ARGS=name for one of them)"
	@echo "make soak    kill -9, full disks, power cuts, restarts, and endurance runs"
	@echo "make mutants wrong edits that the tests must notice (ARGS=name for some of them)"
	@echo "make setup | fmt | clean"

setup: $(STAMP)

demo: $(STAMP)
	$(BIN)/omniline demo $(ARGS)

test: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict $(TYPED)
	$(BIN)/lint-imports
	$(BIN)/python -m pytest $(ARGS)

bench: $(STAMP)
	$(BIN)/python -m benchmarks $(ARGS)

soak: $(STAMP)
	$(BIN)/python -m pytest -m soak tests/soak tests/faults $(ARGS)

mutants: $(STAMP)
	$(BIN)/python -m tests.mutants $(ARGS)

fmt: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist

$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Omniline needs Python 3.11 or newer with pip: install python3 and python3-pip, or name one with PYTHON=." >&2; exit 1; }
	$(PYTHON) -m venv --without-pip .venv
	$(PYTHON) -m pip --python $(BIN)/python install --quiet --require-hashes --only-binary :all: -r requirements.lock
	$(PYTHON) -m pip --python $(BIN)/python install --quiet --no-deps --no-build-isolation -e .
	touch $@

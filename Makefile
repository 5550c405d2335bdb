# `make demo`, `make lab` and `make test` work from a fresh checkout; the other targets are for contributors.
#   make lab LAB_ARGS='--no-browser --port 8890'      make test TEST_ARGS='tests/unit -k wire'

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LAB_ARGS ?=
TEST_ARGS ?=
BENCH_ARGS ?=
NOTEBOOKS ?=
# Versions of ipykernel that are tested besides the one in constraints.txt: they differ in how they process the page's
# messages while a cell runs.
KERNELS := 6.30.1 7.1.0

.PHONY: demo lab test check bench chaos notebooks docs clean

demo: $(VENV)/.lab
	@$(BIN)/colony-jupyter demo

lab: $(VENV)/.lab
	$(BIN)/colony-jupyter lab $(LAB_ARGS)

test: $(VENV)/.dev $(KERNELS:%=$(VENV)/.ipykernel-%) check
	$(BIN)/python -m pytest $(TEST_ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	DENO_NO_UPDATE_CHECK=1 $(BIN)/deno lint -q colony_jupyter/notebook/static tests/js
	DENO_NO_UPDATE_CHECK=1 $(BIN)/deno check -q colony_jupyter/notebook/static/*.js
	$(BIN)/python -m pytest -q tests/unit/test_imports.py

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

# Long runs of the faults that `make test` injects briefly; tests have no time limit here.
chaos: $(VENV)/.dev
	$(BIN)/python -m pytest -m chaos --timeout 0 $(TEST_ARGS)

# The outputs of the tutorial's cells, and the pages generated from docstrings and --help; tests fail if one is outdated.
notebooks: $(VENV)/.dev
	$(BIN)/python -m tools.transcripts $(NOTEBOOKS)

docs: $(VENV)/.dev
	$(BIN)/python -m tools.reference

clean:
	rm -rf $(VENV) build dist test-output .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp file has the time of the last installation: a target that needs it installs changed dependencies first.
$(VENV)/.lab: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[lab]'
	@touch $@

$(VENV)/.dev: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[dev,lab]'
	@touch $@

$(VENV)/.bench: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[bench]'
	@touch $@

# With this folder first in PYTHONPATH the same Python runs a kernel of that version. A folder's version never changes.
$(VENV)/.ipykernel-%: $(BIN)/python
	rm -rf $(VENV)/kernels/ipykernel-$*
	$(BIN)/python -m pip install -q --no-deps --target $(VENV)/kernels/ipykernel-$* ipykernel==$*
	@touch $@

# No prerequisites: the environment is created only if it is missing.
$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "There is no '$(PYTHON)' here: install Python 3.11 or newer, or name it: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed, and '$(PYTHON)' is older: $$($(PYTHON) -V 2>&1). Name another one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "'$(PYTHON)' cannot make virtual environments: install its venv module (on Debian and Ubuntu: apt install python3-venv)." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

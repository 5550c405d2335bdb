# `make demo`, `make lab` and `make test` work from a fresh checkout; the other targets are for contributors.
#   make lab LAB_ARGS='--no-browser --port 8890'      make test TEST_ARGS='tests/unit -k wire'

PYTHON ?= python3
VENV := .venv
CONSTRAINTS := constraints.txt
BIN := $(VENV)/bin
LAB_ARGS ?=
TEST_ARGS ?=
# Tests mostly wait, so there are more workers than cores. A file's tests share servers, so each file stays on one worker.
PARALLEL := -n 4 --dist loadfile --no-loadscope-reorder
CORE ?= tests/unit tests/properties tests/notebooks
BENCH_ARGS ?=
NOTEBOOKS ?=
# Versions of ipykernel that are tested besides the one in constraints.txt: they differ in how they process the page's
# messages while a cell runs.
KERNELS := 6.30.1 7.1.0

# A newer Python than the one of `make test`, if the machine has one; with pyenv, one that is not activated, too.
NEWER ?= $(firstword $(foreach minor,14 13 12,$(shell command -v python3.$(minor) 2>/dev/null | grep -v shims) \
  $(lastword $(sort $(wildcard $(HOME)/.pyenv/versions/3.$(minor).*/bin/python3)))))

# Tests start some hundred processes: each would compile the package again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo lab test quick check static check-lint check-types check-tests check-js check-imports
.PHONY: figures coverage core lowest newer dist installs bench chaos notebooks docs picture clean

demo: $(VENV)/.lab
	@$(BIN)/colony-jupyter demo

lab: $(VENV)/.lab
	$(BIN)/colony-jupyter lab $(LAB_ARGS)

# Without TEST_ARGS, the coverage by unit and property tests is measured, too.
ifeq ($(strip $(TEST_ARGS)),)
test: $(VENV)/.dev $(KERNELS:%=$(VENV)/.ipykernel-%) static coverage
	$(BIN)/python -m pytest $(PARALLEL) --ignore tests/unit --ignore tests/properties
else
test: $(VENV)/.dev $(KERNELS:%=$(VENV)/.ipykernel-%) static
	$(BIN)/python -m pytest $(PARALLEL) $(TEST_ARGS)
endif

# The daily loop, with a quarter of the examples that `make test` tries.
quick: static
	$(BIN)/python -m pytest -q $(PARALLEL) --hypothesis-profile quick tests/unit tests/properties

check: static check-imports

# What needs no test; its parts run side by side.
static: $(VENV)/.dev
	@$(MAKE) --no-print-directory -j check-tests check-types check-lint check-js

check-lint:
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

check-types:
	$(BIN)/mypy

# With a cache of its own: other options make mypy throw away what it finds in a cache.
check-tests:
	$(BIN)/mypy --config-file tests/mypy.ini tests

check-js:
	DENO_NO_UPDATE_CHECK=1 $(BIN)/deno lint -q colony_jupyter/notebook/static tests/js
	DENO_NO_UPDATE_CHECK=1 $(BIN)/deno check -q colony_jupyter/notebook/static/*.js

check-imports: $(VENV)/.dev
	$(BIN)/python -m pytest -q tests/unit/test_imports.py

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

# The figures of README.md and docs/ from the last whole run of the benchmarks; a test fails if they are others.
figures: $(VENV)/.dev
	$(BIN)/python -m benchmarks.figures

# How much of each folder unit and property tests cover; fails if a folder has less than tools/coverage_gates.py wants.
coverage: $(VENV)/.dev
	$(BIN)/python -m pytest $(PARALLEL) --timeout 120 tests/unit tests/properties --cov --cov-report json:test-output/coverage.json
	$(BIN)/python -m tools.coverage_gates test-output/coverage.json

# The tests that depend on the Python and on the versions of libraries.
core: $(VENV)/.dev
	$(BIN)/python -m pytest -q $(PARALLEL) $(CORE)

# The same tests with the lowest versions of our dependencies that pyproject.toml allows.
lowest: $(VENV)/.dev
	@mkdir -p $(VENV)/other
	$(BIN)/python -m tools.lowest > $(VENV)/other/lowest.txt
	$(MAKE) core VENV=$(VENV)/other/lowest CONSTRAINTS=$(VENV)/other/lowest.txt

# The same tests on a newer Python.
newer:
	@if [ -z '$(NEWER)' ]; then echo "There is no Python 3.12 or newer here; name one: make newer NEWER=python3.13"; \
	else mkdir -p $(VENV)/other && $(MAKE) core VENV=$(VENV)/other/newer PYTHON='$(NEWER)'; fi

# The wheel and the sdist, in dist/.
dist: $(VENV)/.dev
	rm -rf dist
	$(BIN)/python -m build -o dist .

# Both in a clean environment of every Python here, away from the checkout.
installs: dist
	$(BIN)/python -m tools.installs dist

# Long runs of the faults that `make test` injects briefly; tests have no time limit here.
chaos: $(VENV)/.dev
	$(BIN)/python -m pytest -m chaos --timeout 0 $(TEST_ARGS)

# The outputs of the tutorial's cells, and the pages generated from docstrings and --help; tests fail if one is outdated.
notebooks: $(VENV)/.dev
	$(BIN)/python -m tools.transcripts $(NOTEBOOKS)

docs: $(VENV)/.dev
	$(BIN)/python -m tools.reference

# The animated picture of README.md, from a real JupyterLab.
picture: $(VENV)/.dev
	$(BIN)/python -m tools.picture

clean:
	rm -rf $(VENV) build dist test-output .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp file has the time of the last installation: a target that needs it installs changed dependencies first.
$(VENV)/.lab: $(BIN)/python pyproject.toml $(CONSTRAINTS)
	$(BIN)/python -m pip install -q -c $(CONSTRAINTS) -e '.[lab]'
	@touch $@

$(VENV)/.dev: $(BIN)/python pyproject.toml $(CONSTRAINTS)
	$(BIN)/python -m pip install -q -c $(CONSTRAINTS) -e '.[dev,lab]'
	@touch $@

$(VENV)/.bench: $(BIN)/python pyproject.toml $(CONSTRAINTS)
	$(BIN)/python -m pip install -q -c $(CONSTRAINTS) -e '.[bench]'
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

# `make` alone lists the targets. Every target sets up what it needs: an environment in $(VENV), from the lock file.

PYTHON ?= python3
VENV   := .venv
ARGS   :=
BASE   := main
# All but the compilation from nothing, which alone takes more than a minute.
BENCH  := ^(?!compilation)

BIN   := $(VENV)/bin
STAMP := $(VENV)/.set-up-from-lock
PIP   := $(BIN)/python -m pip --disable-pip-version-check --no-input
OLD   := 'import sys; sys.exit(sys.version_info < (3, 11))'

.DEFAULT_GOAL := help
.PHONY: help setup run test test-bounds lint types bench compare goals contracts browser lock clean

help: ## List the targets
	@echo "usage: make TARGET [ARGS='...'] [PYTHON=python3.12]"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-14s %s\n", $$1, $$2 }'

setup: $(STAMP) ## Make the environment, or bring it up to date with the lock file
	@:

run: $(STAMP) ## Measure the default suite, or what ARGS says (ARGS='--workload swaps --workers 1,2')
	@$(BIN)/contend run $(ARGS)

# The closing line of `make test`, which is what CI keeps, is that of the lane with all tests.
test: test-bounds ## Run the tests: the bounds-checked lane, then all of them
	@$(BIN)/python -m pytest

test-bounds: $(STAMP) ## Run the tests marked `bounds` with every array access of the kernels checked
	@NUMBA_BOUNDSCHECK=1 $(BIN)/python -m pytest -m bounds

lint: $(STAMP) ## Check style and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(STAMP) ## Check types
	@$(BIN)/mypy

bench: $(STAMP) ## Look quickly at the figures of the asv suite, keeping none (BENCH=Seconds for those of a name)
	@test -f "$$HOME/.asv-machine.json" || $(BIN)/asv machine --yes
	@CONTEND_SUITE_ROUNDS=$${CONTEND_SUITE_ROUNDS:-3} $(BIN)/asv run --quick --show-stderr --bench '$(BENCH)' $(ARGS)

compare: $(STAMP) ## Hold the work tree against BASE as the workflow for pull requests does (BASE=HEAD~1)
	@.ci/benchmark $(BASE) -- $(ARGS)

goals: $(STAMP) ## Measure the throughput that the project promises, and print it beside the promise
	@$(BIN)/python -m tools.goals $(ARGS)

contracts: $(STAMP) ## Compile the Vyper sources again into the artifacts that are checked in
	@$(BIN)/python -m contend.workloads.contracts.compile $(ARGS)

browser: ## Install the browser that tests of pages open (Debian packages; needs root)
	@.ci/browser

lock: $(STAMP) ## Write the lock file from pyproject.toml (ARGS=--upgrade takes newer versions)
	@$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes \
		--only-binary :all: --custom-compile-command "make lock" --quiet --output-file requirements.lock $(ARGS)

clean: ## Remove the environment and the caches of the tools; results and compiled kernels stay
	@rm -rf .venv build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find evm strategies workloads harness tools tests -name __pycache__ -type d -prune -exec rm -rf {} +

# Wheels only, and the build backend comes from the lock as well: nothing that is not pinned is ever fetched or run.
$(STAMP): requirements.lock pyproject.toml
	@test -x $(BIN)/pip || $(PYTHON) -c $(OLD) 2>/dev/null || { \
		found=$$($(PYTHON) --version 2>/dev/null) || found="not there"; \
		echo "Contend needs Python 3.11 or newer: $(PYTHON) is $$found; name another, as in make PYTHON=python3.12" >&2; \
		exit 2; }
	@test -x $(BIN)/pip || echo "setting up $(VENV) ($$($(PYTHON) --version))" >&2
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	@$(PIP) install --quiet --require-hashes --only-binary :all: --requirement requirements.lock
	@$(PIP) install --quiet --no-deps --no-build-isolation --no-index --editable .
	@touch $@

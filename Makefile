# `make` alone lists the targets. Every target sets up what it needs: an environment in $(VENV), from the lock file; first
# what a run needs, and with the first target that asks for it what tests, linters and benchmarks need.

PYTHON ?= python3
VENV   := .venv
ARGS   :=
# Processes that run tests beside each other; each file's tests stay in one, the longest files first (`tests/conftest.py`).
TESTERS := auto
BASE   := main
# All but the compilation from nothing, which alone takes more than a minute.
BENCH  := ^(?!compilation)
# What `make specification` installs: docs/decisions.md says why it is apart.
SPECIFICATION := 'ethereum-execution==2.20.0' 'ethereum-types<0.3' 'ethereum-rlp<0.2' 'cryptography<46' cffi pycparser

BIN     := $(VENV)/bin
RUN     := $(VENV)/.set-up-to-run
DEVELOP := $(VENV)/.set-up-to-develop
OLD     := 'import sys; sys.exit(sys.version_info < (3, 11))'

.DEFAULT_GOAL := help
.PHONY: help setup develop specification run test test-bounds lint types bench compare goals contracts browser lock clean

help: ## List the targets
	@echo "usage: make TARGET [ARGS='...'] [PYTHON=python3.12]"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-14s %s\n", $$1, $$2 }'

setup: $(RUN) ## Make the environment that a run needs, or bring it up to date with the lock file
	@:

develop: $(DEVELOP) ## Add to it what tests, linters, types and benchmarks need
	@:

specification: $(RUN) ## Add the Python specification of Ethereum, which `contend fuzz-blocks` compares with
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet --no-deps --require-hashes --only-binary :all: \
		--requirement specification.lock

run: $(RUN) ## Measure the default suite, or what ARGS says (ARGS='--workload swaps --workers 1,2')
	@$(BIN)/contend run $(ARGS)

ALL_TESTS = $(BIN)/python -m pytest -n $(TESTERS) --dist loadfile --no-loadscope-reorder
BOUNDS_TESTS = NUMBA_BOUNDSCHECK=1 $(ALL_TESTS) -m bounds

# Both lanes are run, whatever the first one finds; the closing line, which is what CI keeps, is that of all tests.
test: $(DEVELOP) ## Run the tests: the bounds-checked lane, then all of them
	@failed=0; $(BOUNDS_TESTS) || failed=$$?; $(ALL_TESTS) && exit $$failed

test-bounds: $(DEVELOP) ## Run the tests marked `bounds` with every array access of the kernels checked
	@$(BOUNDS_TESTS)

lint: $(DEVELOP) ## Check style and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(DEVELOP) ## Check types
	@$(BIN)/mypy

bench: $(DEVELOP) ## Look quickly at the figures of the asv suite, keeping none (BENCH=Seconds for those of a name)
	@test -f "$$HOME/.asv-machine.json" || $(BIN)/asv machine --yes
	@CONTEND_SUITE_ROUNDS=$${CONTEND_SUITE_ROUNDS:-3} $(BIN)/asv run --quick --show-stderr --bench '$(BENCH)' $(ARGS)

compare: $(RUN) ## Hold the work tree against BASE as the workflow for pull requests does (BASE=HEAD~1)
	@.ci/benchmark $(BASE) -- $(ARGS)

goals: $(RUN) ## Measure the throughput that the project promises, and print it beside the promise
	@$(BIN)/python -m tools.goals $(ARGS)

contracts: $(DEVELOP) ## Compile the Vyper sources again into the artifacts that are checked in
	@$(BIN)/python -m contend.workloads.contracts.compile $(ARGS)

browser: ## Install the browser that tests of pages open (Debian packages; needs root)
	@.ci/browser

lock: $(DEVELOP) ## Write the lock file from pyproject.toml (ARGS=--upgrade takes newer versions)
	@$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes \
		--only-binary :all: --custom-compile-command "make lock" --quiet --output-file requirements.lock $(ARGS)
	@printf '%s\n' $(SPECIFICATION) | $(BIN)/uv pip compile - --no-deps --universal --python-version 3.11 \
		--generate-hashes --only-binary :all: --no-annotate --custom-compile-command "make lock" --quiet \
		--output-file specification.lock $(ARGS)

clean: ## Remove the environment and the caches of the tools; results and compiled kernels stay
	@rm -rf .venv build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find evm strategies node workloads harness tools tests -name __pycache__ -type d -prune -exec rm -rf {} +

# Wheels only, and the build backend comes from the lock as well: nothing that is not pinned is ever fetched or run.
# The environment is made by $(PYTHON) once, and brought up to date by its own.
$(RUN): requirements.lock pyproject.toml
	@$(call set-up,run)
	@touch $@

$(DEVELOP): requirements.lock pyproject.toml
	@$(call set-up,develop)
	@touch $@ $(RUN)

define set-up
test -x $(BIN)/pip || $(PYTHON) -c $(OLD) 2>/dev/null || { \
	found=$$($(PYTHON) --version 2>/dev/null) || found="not there"; \
	echo "Contend needs Python 3.11 or newer: $(PYTHON) is $$found; name another, as in make PYTHON=python3.12" >&2; \
	exit 2; }; \
python=$(PYTHON); test ! -x $(BIN)/pip || python=$(BIN)/python; \
$$python tools/environment.py $(1) $(VENV)
endef

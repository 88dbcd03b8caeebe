# Every target makes .venv first if it is missing or pyproject.toml or constraints.txt changed. Another Python:
#     make test PYTHON=python3.13
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help demo screenshots test bench soak check clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

demo: $(INSTALLED) ## a collector, an example chat application, its customers, pages and SQL
	@$(BIN)/python docs/examples/demo.py

screenshots: $(INSTALLED) ## pictures of the pages into docs/screenshots; needs a Chromium
	@$(BIN)/python docs/examples/screenshots.py

test: $(INSTALLED) ## all the tests but the long ones
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m 'not soak' tests

soak: $(INSTALLED) ## the long tests: kills under load, counted
	@$(BIN)/python -m pytest -m soak tests

bench: $(INSTALLED) ## how fast this machine takes, stores and reads spans
	@$(BIN)/python -m benchmarks

check: $(INSTALLED) ## style, formatting and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

clean: ## remove .venv, builds and caches; hansei-data stays
	@rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp comes last: an installation that was interrupted is taken up again.
$(INSTALLED): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null \
	    || { echo "make: there is no $(PYTHON); install Python 3.11 or later, or name one with PYTHON=…" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "make: $(PYTHON) is $$($(PYTHON) -V 2>&1), and hansei needs 3.11 or later; name one with PYTHON=…" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null \
	    || { echo "make: $(PYTHON) cannot make an environment with pip; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "Installing into .venv (once) …" >&2
	@$(BIN)/python -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || $(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

# make run, make test: everything else that they need, they set up.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python

.PHONY: run test lint bench bench-playout

run: $(VENV)/.runs
	@$(RUN) main.py

test: $(VENV)/.develops
	@$(RUN) -m pytest

lint: $(VENV)/.develops
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .
	@$(RUN) -m mypy
	@$(RUN) -m bandit -q -c pyproject.toml -r main.py services ui
	@.ci/audit $(RUN)

bench: $(VENV)/.develops
	@$(RUN) -m benchmarks

# RUNS=1 SECONDS=20 make bench-playout is a first look; the whole takes an hour.
bench-playout: $(VENV)/.develops
	@-$(RUN) -m pip install --quiet --disable-pip-version-check -r benchmarks/playout/requirements.txt
	@$(RUN) -m benchmarks.playout

# The stamps are what makes a second run start at once.
$(VENV)/.runs: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Earshot needs Python 3.11 or newer. Set PYTHON to one: make run PYTHON=python3.12")'
	@test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	@echo "Installing what Earshot needs (once)..."
	@$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.develops: requirements-dev.txt $(VENV)/.runs
	@echo "Installing what the tests need (once)..."
	@$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

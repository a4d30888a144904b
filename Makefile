# make run, make test: everything else that they need, they set up.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
# What is imported is compiled on first use: compiling all of it here takes longer than everything else.
INSTALL := $(RUN) -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes
# Tools that only exist in the virtual environment are found by those that call them by name.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
# The tests start a hundred processes. Where Python may not keep what it has compiled, each of them compiles everything again.
unexport PYTHONDONTWRITEBYTECODE
LOCK := $(RUN) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock"

.PHONY: run test quick lint audit lock bench bench-playout

run: $(VENV)/.runs
	@$(RUN) main.py

# Spread over the cores by tests/shares.py, which costs less processor time than xdist.
test: $(VENV)/.develops
	@$(RUN) -m tests.needs test
	@$(RUN) -m pytest -p tests.shares

# For the loop of work: what needs no browser, no process and no patience. Files that have nothing of it are not even imported.
quick: $(VENV)/.develops
	@$(RUN) -m pytest -p tests.shares -p no:hypothesispytest -m "not browser and not process and not slow" \
		--ignore tests/browser --ignore tests/whole --ignore tests/playout --ignore-glob "*_fuzz.py"

lint: $(VENV)/.develops
	@$(RUN) -m tests.needs lint
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .
	@$(RUN) -m mypy
	@$(RUN) -m bandit -q -c pyproject.toml -r main.py services ui
	@$(MAKE) --silent node_modules/.checks
	@npm run --silent lint

# Known vulnerabilities of what is locked. Without any data it passes, unless CI_AUDIT=strict.
audit: $(VENV)/.develops
	@$(RUN) .ci/audit

# After a change of one of the requirements. Versions that still fit stay as they are.
lock: $(VENV)/.develops
	@$(LOCK) requirements.txt -o requirements.lock
	@$(LOCK) requirements.txt requirements-otel.txt -c requirements.lock -o requirements-otel.lock
	@$(LOCK) requirements-dev.txt -c requirements-otel.lock -o requirements-dev.lock

bench: $(VENV)/.develops
	@$(RUN) -m tests.needs test
	@$(RUN) -m benchmarks

# RUNS=1 SECONDS=20 make bench-playout is a first look; the whole takes an hour.
bench-playout: $(VENV)/.develops
	@-$(RUN) -m pip install --quiet --disable-pip-version-check -r benchmarks/playout/requirements.txt
	@$(RUN) -m tests.needs test
	@$(RUN) -m benchmarks.playout

# The stamps are what makes a second run start at once.
$(VENV)/.runs: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Earshot needs Python 3.11 or newer. Set PYTHON to one: make run PYTHON=python3.12")'
	@test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	@$(RUN) -m pip --version >/dev/null 2>&1 || $(RUN) -m ensurepip >/dev/null  # `uv run` makes the folder without pip
	@echo "Installing what Earshot needs (once)..."
	@$(INSTALL) -r requirements.lock
	@touch $@

$(VENV)/.develops: requirements-dev.lock $(VENV)/.runs
	@echo "Installing what the tests need (once)..."
	@$(INSTALL) -r requirements-dev.lock
	@touch $@

node_modules/.checks: package.json package-lock.json
	@echo "Installing what checks the JavaScript (once)..."
	@npm ci --ignore-scripts --silent --no-audit --no-fund
	@touch $@

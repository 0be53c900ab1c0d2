# `make` or `make help` shows what there is.
.DEFAULT_GOAL := help
.PHONY: help run test test-service fuzz e2e chaos check format lint types imports migrations rfc-matrix upgrade-db bench clean install install-dev

# The environment's own Python once there is one, so that it is not made anew with another.
PYTHON ?= $(shell .venv/bin/python -c 'import pip' 2>/dev/null && echo .venv/bin/python || command -v python3 || echo python3)
MANAGE := .venv/bin/python manage.py
SOURCES := manage.py jmapsite accounts jmapcore mail push bench tests
# Tests: more processes than this gain nothing, since PostgreSQL works beside them.
TEST_PROCESSES ?= $(shell n=$$(nproc 2>/dev/null || echo 2); [ $$n -gt 4 ] && echo 4 || echo $$n)

help: ## Show this list
	@echo "Usage: make TARGET [PORT=8000] [PUSH_PORT=8001] [LMTP_PORT=8024] [VAR_DIR=var] [HTTPS=1] [PYTHON=python3]"
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1|\2/' | column -t -s '|' 2>/dev/null \
		|| grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST)

install:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 to 3.14 is needed, and $(PYTHON) is not there."; exit 1; }
	@$(PYTHON) jmapsite/bootstrap.py embedded

install-dev:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 to 3.14 is needed, and $(PYTHON) is not there."; exit 1; }
	@$(PYTHON) jmapsite/bootstrap.py embedded dev

run: install ## Start the whole service on this machine; Ctrl-C stops it
	@exec $(MANAGE) run --stop-with-parent

test: install-dev ## Run the tests but those that start the whole service (TESTS="tests/unit -k name" for some)
	.venv/bin/python -m pytest -n $(TEST_PROCESSES) --dist worksteal -m "not e2e and not debian" $(TESTS)

test-service: install-dev ## Run the tests that start the processes of the service, kill them, and look from outside
	.venv/bin/python -m pytest -n $(TEST_PROCESSES) --dist worksteal -m "e2e and not debian" tests/e2e

fuzz: install-dev ## Run the tests that make up their own input with 10,000 examples each (TESTS="…" for some)
	.venv/bin/python -m pytest -n $(TEST_PROCESSES) --dist worksteal --hypothesis-profile fuzz -m "fuzz or hypothesis" $(TESTS)

e2e: install-dev ## Run the service behind Debian's Postfix and nginx, with Debian's Chromium (as root, which installs them)
	@.venv/bin/python -m tests.e2e.debian
	.venv/bin/python -m pytest -m debian tests/e2e/debian $(TESTS)

chaos: install-dev ## Kill processes at random while mail comes in and goes out; nothing may be lost (ARGS="--help")
	@.venv/bin/python -m tests.chaos $(ARGS)

check: install-dev ## Everything that must pass: format, lint, types, imports, migrations, tests
	.venv/bin/python -m ruff format --check $(SOURCES)
	$(MAKE) --no-print-directory lint types imports migrations test test-service

format: install-dev ## Rewrite the sources in the common format
	.venv/bin/python -m ruff check --select I --fix $(SOURCES)
	.venv/bin/python -m ruff format $(SOURCES)

lint: install-dev ## Check the sources with ruff
	.venv/bin/python -m ruff check $(SOURCES)

types: install-dev ## Check the types with mypy
	.venv/bin/python -m mypy

imports: install-dev ## Check who imports whom
	.venv/bin/lint-imports

migrations: install-dev ## Check that no migration is missing
	$(MANAGE) makemigrations --check --dry-run

rfc-matrix: install-dev ## Write docs/rfc-matrix.md anew from the tests' marks
	@.venv/bin/python -m tests.support.rfc_matrix

upgrade-db: install ## Bring the data of an older embedded PostgreSQL to the present version
	$(MANAGE) upgrade_db

bench: install-dev ## Measure the performance budget (MESSAGES=10000 ARGS="--help")
	@.venv/bin/python -m bench $(if $(MESSAGES),--messages $(MESSAGES)) $(if $(VAR_DIR),--var-dir "$(VAR_DIR)/bench") $(ARGS)

clean: ## Remove the environment and what tools left; the data in var/ stay
	rm -rf .venv build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage .coverage.* htmlcov *.egg-info
	find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +

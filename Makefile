# Every target explains itself: make help
.DEFAULT_GOAL := help
.PHONY: help setup run dev test older-sdks postgres fmt lint types frontend-checks coverage bench fresh snippets docs openapi pins
MAKEFLAGS += --no-print-directory

PY := .venv/bin/python
TESTS := tests
# How many processes test at the same time.
WORKERS ?= auto
PYTEST := $(PY) -m pytest -n $(WORKERS) --maxprocesses=8 --dist=worksteal
export PYTHON

# HOST is believed from the command line only: some shells export one of their own.
RUN_OPTIONS = $(if $(filter command line,$(origin HOST)),--host '$(HOST)') $(if $(PORT),--port '$(PORT)')

help:  ## Show this list
	@awk -F ':.*  ## ' '/^[a-z-]+:.*  ## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup:  ## Install everything Rubberduck needs into .venv and build the web pages
	@scripts/setup

run: setup  ## Run web, proxies and background tasks until Ctrl-C: make run [HOST=127.0.0.1] [PORT=8000]
	@exec $(PY) scripts/run.py $(RUN_OPTIONS)

dev: setup  ## Like run, with debug on; starts again by itself when a source file changes
	@exec $(PY) scripts/run.py --dev $(RUN_OPTIONS)

test:  ## Install what the tests need and run them all with the newest SDKs: make test [TESTS=tests/providers] [WORKERS=2]
	@scripts/setup --tests
	@scripts/programs chromium curl nginx postgres redis-server
	$(PYTEST) $(TESTS)

older-sdks:  ## Run the SDK tests with the older generation of the official SDKs
	@scripts/setup --tests --older-sdks
	SDK_OLDER=1 $(PYTEST) tests/wire tests/emulated -k older

postgres:  ## Run the tests that touch the database on a PostgreSQL of their own
	@scripts/setup --tests
	@scripts/programs postgres
	@$(PY) scripts/postgres.py $(PYTEST) tests/accounts tests/logs tests/proxies tests/rubberduck tests/process tests/wire/test_sdks.py tests/wire/test_secrets.py tests/api

fmt:  ## Format the sources
	@scripts/setup --tests
	$(PY) -m ruff check --fix-only .
	$(PY) -m ruff format .
	npm --prefix frontend run --silent fmt

lint:  ## Check style, formatting and who imports whom, in Python and in the frontend
	@scripts/setup --tests
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	.venv/bin/lint-imports
	npm --prefix frontend run --silent lint

types:  ## Check the types, in Python and in the frontend
	@scripts/setup --tests
	$(PY) -m mypy
	npm --prefix frontend run --silent types

frontend-checks:  ## Run the frontend's unit tests
	@scripts/setup --tests
	npm --prefix frontend run --silent test

coverage:  ## Run the tests and show which lines they did not reach
	@scripts/setup --tests
	@scripts/programs chromium curl nginx postgres redis-server
	$(PY) -m coverage erase
	$(PY) -m coverage run -m pytest -n $(WORKERS) --maxprocesses=8 $(TESTS)
	$(PY) -m coverage combine --quiet
	$(PY) -m coverage report --show-missing --skip-covered

bench:  ## Measure speed and memory beside nginx; BENCH_PEERS=1 adds LiteLLM, BENCH_QUICK=1 takes half a minute
	@scripts/setup
	@scripts/programs nginx wrk
	$(PY) -m bench.run $(if $(BENCH_QUICK),--quick)

fresh: setup  ## Empty the database: proxies, recordings, logs and accounts are gone (asks first; YES=1 does not)
	@$(PY) scripts/fresh.py $(if $(YES),--yes)

snippets:  ## Write the examples for every SDK into the README, as the providers give them
	@$(PY) scripts/snippets.py

docs:  ## Write docs/faults.md anew from what the code declares
	@$(PY) scripts/document_faults.py

openapi:  ## Write docs/openapi.json anew from what the code declares
	@$(PY) scripts/openapi.py

pins:  ## Renew the exact versions of indirect packages in requirements*.txt from what is installed
	@$(PY) scripts/pins.py

# Everything a newcomer needs. `make run` serves the product, `make test` proves it.
SHELL := /bin/bash
PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
LOCK := requirements/dev.lock

.PHONY: run demo test check format bench setup lock clean

run: setup ## serve the whole product on SQLite
	$(BIN)/turnout serve --open --port $(PORT)

demo: setup ## the same with thousands of real conferences in it
	$(BIN)/turnout demo --port $(PORT)

test: setup ## all tests, on SQLite and on a PostgreSQL of their own
	PYTHON=$(BIN)/python ./scripts/browser.sh
	$(BIN)/python -m pytest -n $${TEST_PROCESSES:-auto} --dist loadgroup

check: setup ## format, lint, types, import contracts, security, locks
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/bandit -q -r src -c pyproject.toml
	./scripts/check_locks.sh

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup ## the figures of docs/benchmarks.md, measured here
	$(BIN)/python -m benchmarks

setup: $(STAMP)

$(STAMP): $(LOCK) pyproject.toml
	$(PYTHON) scripts/set_up.py $(VENV) $(LOCK)
	touch $@

lock: ## write the lock anew after a change in pyproject.toml (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml --group dev -o $(LOCK)

clean:
	rm -rf $(VENV)

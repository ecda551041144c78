# make run | test | check | bench. Everything installs itself into .venv; nothing is needed but Python 3.11, make and a compiler.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test check format lint types bench chromium node clean
.DEFAULT_GOAL := run

.venv/run.stamp: requirements.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

.venv/dev.stamp: requirements-dev.txt .venv/run.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

.venv/bench.stamp: requirements-bench.txt .venv/dev.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	touch $@

run: .venv/run.stamp
	$(BIN)/python -m streamlit run app.py

test: .venv/dev.stamp chromium node
	$(BIN)/python -m pytest

check: .venv/dev.stamp format lint types test

format: .venv/dev.stamp
	$(BIN)/ruff format --check .

lint: .venv/dev.stamp
	$(BIN)/ruff check .

types: .venv/dev.stamp
	$(BIN)/mypy

bench: .venv/bench.stamp
	$(BIN)/python -m pytest tests/bench -m bench -s

# The browser tests drive Debian's Chromium; on another system install it by hand and set CHROMIUM to its path.
chromium:
	@sh tests/road/chromium.sh

# One test runs the official Node client, which it fetches itself.
node:
	@sh tests/engine/node/node.sh

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache

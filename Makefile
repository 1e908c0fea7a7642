# Two targets are all a new user needs: `make demo` and `make test`. Both make .venv with python3 alone.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
JOBS ?= 2

.PHONY: demo test check format bench clean

$(STAMP): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

# T2S_TASK2SIM may name a folder with the authors' files; without it they are downloaded.
DEMO := demo/rewards.duckdb
demo: $(STAMP)
	$(BIN)/t2s-offline fetch task2sim --store $(DEMO) $(if $(T2S_TASK2SIM),--from "$(T2S_TASK2SIM)")
	$(BIN)/t2s-offline learn --store $(DEMO) --seeds 2 --out demo/policy
	$(BIN)/t2s-offline compare --store $(DEMO) --seeds 2
	$(BIN)/t2s-offline predict CUB --policy demo/policy --store $(DEMO)

test: $(STAMP)
	$(BIN)/python -m pytest -n $(JOBS)

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/test_floors.py

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(STAMP)
	$(BIN)/python -m tests.bench

clean:
	rm -rf $(VENV) build demo *.egg-info .mypy_cache .pytest_cache .ruff_cache

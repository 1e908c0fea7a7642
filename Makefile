# Two targets are all a new user needs: `make demo` and `make test`. Both make .venv with python3 alone.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
JOBS ?= 2

.PHONY: demo test check format bench soak gpu clean

$(STAMP): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

# On the table that ships, without a network: learn without digits, compare by leaving tasks out, predict digits, report.
TABLE := tables/cpu
demo: $(STAMP)
	$(BIN)/t2s-offline tables
	$(BIN)/t2s-offline learn --store $(TABLE) --on-miss model --centre --leave-out digits --epochs 300 --out demo/policy
	$(BIN)/t2s-offline compare --store $(TABLE) --leave-one-out --learners $(DEMO_LEARNERS)
	$(BIN)/t2s-offline predict digits --policy demo/policy --store $(TABLE) --measure 4
	$(BIN)/t2s-offline report --store $(TABLE) --policy demo/policy --out demo/report.html
	@echo "open demo/report.html"

# Those that take no time; the report compares more of them, and measured backbones.
DEMO_LEARNERS := random,domain_randomization,best_fixed,best_fixed_standardised,nearest

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

# The first day of a machine with a GPU: tests, self-test, one configuration, then the cube in slices; call it again to go on.
gpu: $(STAMP)
	$(BIN)/python -m tests.bench.gpu_day

# Kills and full disks for some minutes. What it finds is printed.
soak: $(STAMP)
	$(BIN)/python -m pytest -s tests/soak/soak_*.py

clean:
	rm -rf $(VENV) build demo *.egg-info .mypy_cache .pytest_cache .ruff_cache

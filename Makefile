# Two commands on a fresh machine: `make run` and `make test`. Each line sets up what it needs in .venv.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run workshop test faults lint bench format clean

run: .venv/run.ready
	$(BIN)/streamlit run dashboard/server.py

# a server for a room full of people; ARGS="--port 8600 --no-code"
workshop: .venv/run.ready
	$(BIN)/python -m dashboard.workshop $(ARGS)

test: .venv/dev.ready
	$(BIN)/python -m pytest -q -n 2 -m "not browser and not slow_fault"
	$(BIN)/python -m pytest -q -m "browser and not slow_fault"

faults: .venv/dev.ready
	$(BIN)/python -m pytest -q -m "fault or slow_fault"

lint: .venv/dev.ready
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
	$(BIN)/bandit -q -c pyproject.toml -r core dashboard tools benchmarks
	$(BIN)/python tools/audit_packages.py

bench: .venv/dev.ready
	for name in overhead viewers first_point race peers mnist explain runs_table gpu; do $(BIN)/python -m benchmarks.$$name || exit 1; done

format: .venv/dev.ready
	$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

clean:
	rm -rf .venv .layerwise .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/bin/uv:
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet uv

.venv/run.ready: requirements.txt | .venv/bin/uv
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python -r requirements.txt
	touch $@

.venv/dev.ready: requirements-dev.txt .venv/run.ready
	$(BIN)/uv pip install --quiet --python $(BIN)/python -r requirements-dev.txt
	touch $@

# Every target sets up what it needs; none needs root once the Debian packages are there.
PYTHON_IN_VENV := .venv/bin/python
LOCK := .venv/bin/uv pip compile --quiet --python-version 3.11 --no-header
ARGS ?=
# What `make soak` reads; smaller, by argument or environment, to see that it ends.
CASES ?= 5000
FIRST_LOAD_ROWS ?= 5000000
MEMORY_ROWS ?= 1000000,5000000,20000000
MODEL_STEPS ?= 50000
OUTAGE_RUNS ?= 50
# What says something of the source: these run on MariaDB and on MySQL.
MYSQL_TESTS := tests/mysql_arrow tests/hooks \
    $(addprefix tests/operators/test_,append.py bad_input.py bad_rows.py bases.py chosen_parts.py clocks.py \
        drift.py dual_write.py isolating.py newest_wins.py no_row_skipped.py one_window.py \
        refused_rows.py source_troubles.py) \
    $(addprefix tests/faults/test_,f1_killed_workers.py f9_drift.py)
export PYTHONPATH := .:plugins
# Hundreds of processes read the same modules: compiled once, also where nothing else is kept.
COMPILED := PYTHONDONTWRITEBYTECODE=

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-mysql soak lint bench lock clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup:  ## Install what is missing, into this directory (says what, before it does)
	@onebox/bootstrap.sh

demo: setup  ## Run the whole product on real data; ARGS=--once checks everything and stops
	@$(PYTHON_IN_VENV) -m onebox.demo $(ARGS)

test: setup  ## Run all tests on a stack of their own; ARGS are pytest's
	@onebox/bootstrap.sh browser
	@$(COMPILED) $(PYTHON_IN_VENV) -m pytest -n 3 --no-loadscope-reorder $(ARGS)

test-mysql: setup  ## The tests of the source against MySQL itself, which is fetched once; ARGS are pytest's
	@onebox/fetch_mysql.sh
	@LOCALAWS_MYSQLD=$(CURDIR)/.local/mysql-server/mysqld $(PYTHON_IN_VENV) -m pytest -n 2 --no-loadscope-reorder $(MYSQL_TESTS) $(ARGS)

soak: setup  ## The tests that take long: thousands of random tables, millions of rows; ARGS are pytest's
	@TIDEMARK_SOAK_CASES=$(CASES) $(PYTHON_IN_VENV) -m pytest --timeout=7200 tests/mysql_arrow $(ARGS)
	@TIDEMARK_SOAK_ROWS=$(FIRST_LOAD_ROWS) $(PYTHON_IN_VENV) -m pytest --timeout=7200 tests/journeys/test_big_first_load.py $(ARGS)
	@TIDEMARK_SOAK_ROWS=$(MEMORY_ROWS) $(PYTHON_IN_VENV) -m pytest --timeout=7200 tests/hooks/test_extracting_memory.py $(ARGS)
	@TIDEMARK_SOAK_FUZZ_SECONDS=300 TIDEMARK_SOAK_KILLS=20 $(PYTHON_IN_VENV) -m pytest --timeout=7200 tests/web $(ARGS)
	@TIDEMARK_SOAK_OUTAGE_RUNS=$(OUTAGE_RUNS) $(PYTHON_IN_VENV) -m pytest --timeout=7200 tests/faults $(ARGS)
	@TIDEMARK_SOAK_STEPS=$(MODEL_STEPS) $(PYTHON_IN_VENV) -m pytest --timeout=0 tests/model/test_model.py $(ARGS)
	@TIDEMARK_SOAK_RULES=1 $(PYTHON_IN_VENV) -m pytest --timeout=0 tests/model/test_rules_switched_off.py $(ARGS)

lint: setup  ## Style, types and import contracts
	$(PYTHON_IN_VENV) -m ruff check .
	$(PYTHON_IN_VENV) -m ruff format --check .
	$(PYTHON_IN_VENV) -m mypy
	.venv/bin/lint-imports

bench: setup  ## Measure how fast it is; ARGS=extraction is one section, --rows=100000 quicker
	@$(PYTHON_IN_VENV) -m bench $(ARGS)

lock: setup  ## Pin requirements*.in into requirements*.txt; ARGS=--upgrade takes the newest
	$(LOCK) $(ARGS) requirements.in -o requirements.txt
	$(LOCK) $(ARGS) requirements-dev.in -o requirements-dev.txt
	$(LOCK) --no-annotate --no-emit-package mysqlclient -c requirements.txt docker/requirements.in -o docker/requirements.txt
	$(LOCK) --no-annotate -c requirements-dev.txt docker/requirements-standin.in -o docker/requirements-standin.txt
	$(LOCK) $(ARGS) localaws/requirements-ministack.in -o localaws/requirements-ministack.txt
	$(LOCK) --no-annotate $(ARGS) bench/requirements.in -o bench/requirements.txt

clean:  ## Undo everything but the Debian packages; refuses while a stack is running
	@for lock in .local/*/lock; do \
	    if [ -e "$$lock" ] && ! flock --nonblock "$$lock" true; then \
	        echo "$$(dirname $$lock) is in use: stop it first (Ctrl-C in its terminal)" >&2; exit 1; \
	    fi; \
	done
	rm -rf .venv .venv-ministack .venv-bench .venv-celery .local
	rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

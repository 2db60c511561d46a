.DEFAULT_GOAL := help
.PHONY: help run env test test-fast test-wide test-spark check format lock notices bench faults faults-all soak screenshots clean

PYTHON ?= python3
DEMO_ORDERS := 200000
BIN := .venv/bin
# The files of tests come in the order of tests/order.py. Without kept bytecode, each process of pytest would rewrite
# its plugins again, and each process of the product would compile it.
PYTEST := env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest --dist loadfile --no-loadscope-reorder
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --no-user --requirement
INSTALL := $(BIN)/python $(PIP_INSTALL)

# An environment that cannot work is removed here, since make looks at a target before its prerequisites: one whose
# installation was interrupted, whose Python is gone or another, or that was moved. A link is left alone.
ifneq ($(filter-out help clean,$(MAKECMDGOALS)),)
$(shell for venv in .venv .venv-spark; do \
	if [ ! -e $$venv ] || [ -L $$venv ]; then continue; fi; \
	made="$$(sed -n 's/^command = //p' $$venv/pyvenv.cfg 2>/dev/null)"; \
	reason=; \
	$$venv/bin/python -c 'import pip' 2>/dev/null || reason="it has no Python with pip"; \
	case "$$made" in (""|*" $$(pwd -P)/$$venv") ;; (*) reason="it was made for another folder";; esac; \
	if [ -n "$$reason" ]; then echo "Removing $$venv: $$reason" >&2; rm -rf $$venv; fi; \
done)
endif

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/installed ## Start broker, API and workers; Ctrl-C stops everything (WAREHOUSE=demo, or a path or URL)
	@if [ "$$WAREHOUSE" = demo ]; then \
		folder="$${APPHOST_DIR:-.apphost}"; WAREHOUSE="$$folder/demo-warehouse"; mkdir -p -m 700 "$$folder"; \
		[ -e "$$WAREHOUSE/demo-data.json" ] || \
			$(BIN)/python -m reports_worker demo-data "$$WAREHOUSE" --orders $(DEMO_ORDERS) || exit 1; \
		WAREHOUSE="$$(cd "$$WAREHOUSE" && pwd)"; \
	fi; \
	case "$$WAREHOUSE" in (""|*://*|*=*) ;; (*) [ -e "$$WAREHOUSE" ] || { \
		echo "WAREHOUSE: $$WAREHOUSE does not exist. Give a folder of Parquet or CSV, a DuckDB file, a URL, or demo." >&2; \
		exit 1; };; esac; \
	if [ -n "$$WAREHOUSE" ]; then export ConnectionStrings__warehouse="$$WAREHOUSE"; fi; \
	exec $(BIN)/python -m apphost

env: .venv/installed ## Print the environment that the running apphost gives to API and worker
	@$(BIN)/python -m apphost env

test: .venv/installed-dev ## Run the whole suite (PYTEST_ARGS="-k word" for a part of it)
	@$(PYTEST) --numprocesses 5 $(PYTEST_ARGS)

test-fast: .venv/installed-dev ## Run the tests of units alone, in a minute
	@$(PYTEST) --numprocesses 2 --ignore tests/unit/apphost tests/unit $(PYTEST_ARGS)

test-wide: .venv/installed-dev ## Run the suite with ten times as many examples, and what takes long
	@TESTS_WIDE=yes $(PYTEST) --numprocesses 3 --timeout 1200 $(PYTEST_ARGS)

test-spark: .venv-spark/installed ## Test against a Spark cluster of its own (needs Java 17; 1 GB of packages the first time)
	@.venv-spark/bin/python -m pytest tests/spark --timeout 300 $(PYTEST_ARGS)

check: .venv/installed-dev ## Lint, format and types
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

format: .venv/installed-dev ## Mend what lint and format can mend
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

lock: .venv/installed-dev ## Renew the locked requirements from setup.cfg (LOCK_ARGS=--keep keeps versions)
	@$(BIN)/python -m tools.lock $(LOCK_ARGS)

notices: .venv/installed-dev ## Write THIRD-PARTY-NOTICES.md from what is installed
	@$(BIN)/python -m tools.notices

bench: .venv/installed-dev ## Measure against a peer in the same run (BENCH_ARGS=--quick for a minute; needs wrk)
	@$(BIN)/python -m benchmarks $(BENCH_ARGS)

faults: .venv/installed-dev ## Strike each fault once on the running product and judge its promises (FAULTS_ARGS="--only NAME")
	@$(BIN)/python -m faults $(FAULTS_ARGS)

faults-all: .venv/installed-dev ## Strike each fault at every step of a report's life, and write docs/explanation/reliability.md
	@$(BIN)/python -m faults --all $(FAULTS_ARGS)

soak: .venv/installed-dev ## Make 20,000 reports under random kills, and write docs/explanation/reliability.md
	@$(BIN)/python -m faults soak $(FAULTS_ARGS)

screenshots: .venv/installed-dev ## Take the pictures of the README and docs (needs Chromium)
	@$(BIN)/python -m docs.take_screenshots

clean: ## Remove the environment and caches (never your data in .apphost)
	@rm -rf .venv .venv-spark .mypy_cache .pytest_cache .ruff_cache build dist *.egg-info

.venv/bin/python .venv-spark/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	@echo "Creating $(@D:/bin=)"
	@$(PYTHON) -m venv $(@D:/bin=) || { rm -rf $(@D:/bin=); exit 1; }

.venv/installed: requirements.txt | .venv/bin/python
	@echo "Installing the locked packages"
	@$(INSTALL) requirements.txt
	@touch $@

.venv/installed-dev: requirements-dev.txt | .venv/bin/python
	@echo "Installing the locked packages for development"
	@$(INSTALL) requirements-dev.txt
	@touch $@ .venv/installed

.venv-spark/installed: requirements-spark.txt | .venv-spark/bin/python
	@echo "Installing the locked packages with Spark"
	@.venv-spark/bin/python $(PIP_INSTALL) requirements-spark.txt
	@touch $@

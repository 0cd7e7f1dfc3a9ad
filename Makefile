# make demo | test | setup | lint | clean
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help setup demo test lint tools lock audit sbom clean

help:
	@echo "make demo            collect a fictional site, label it, open the dashboard"
	@echo "make demo HEADLESS=1 the same without opening a browser"
	@echo "make test            run the tests"
	@echo "make lint            ruff, mypy, import-linter"
	@echo "make lock            renew requirements.lock after a change of requirements.txt"
	@echo "make audit           known holes in the locked dependencies (asks a public service)"
	@echo "make sbom            build/sbom.json, a bill of materials in CycloneDX"
	@echo "make setup           prepare $(VENV) only"

setup: $(STAMP)

$(STAMP): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "python3-venv is missing: apt install python3-venv" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $(STAMP)

demo: setup
	$(BIN)/raccroche demo $(if $(HEADLESS),--headless)

test: setup
	$(BIN)/python -m pytest -q -m "not server and not browser and not slow"

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

tools: setup
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-ci.txt

lock: tools
	$(BIN)/python deploy/supply.py lock

audit: tools
	$(BIN)/python deploy/supply.py audit

sbom: tools
	mkdir -p build
	$(BIN)/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml --output-reproducible --validate -o build/sbom.json

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache build *.egg-info

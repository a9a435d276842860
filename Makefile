# Every target does its own set-up: a checkout and the package registries are all it needs.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := .stamps
export UV_SYSTEM_CERTS = 1
export PIP_DISABLE_PIP_VERSION_CHECK = 1
# Bytecode is kept: a start compiles some thousand modules anew otherwise.
unexport PYTHONDONTWRITEBYTECODE
JOBS ?= 2

.PHONY: help setup verifier demo serve test test-full test-browser check format compile vectors errors openapi lock bench clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(STAMPS)/python: requirements.lock pyproject.toml
	@mkdir -p $(STAMPS)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet 'uv==0.13.9'
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

$(STAMPS)/node: package.json package-lock.json scripts/vendor_assets.py
	@mkdir -p $(STAMPS)
	@npm ci --silent --no-fund --no-audit
	@$(PYTHON) scripts/vendor_assets.py
	@touch $@

VERIFIER_SOURCES := $(shell find verifier/src -type f) verifier/build.mjs verifier/tsconfig.json ledger_node/catalogue.json

$(STAMPS)/verifier-packages: verifier/package.json verifier/package-lock.json
	@mkdir -p $(STAMPS)
	@cd verifier && npm ci --silent --no-fund --no-audit
	@touch $@

$(STAMPS)/verifier: $(STAMPS)/verifier-packages $(VERIFIER_SOURCES)
	@cd verifier && npm run --silent build
	@touch $@

setup: $(STAMPS)/python $(STAMPS)/node $(STAMPS)/verifier ## install pinned packages, build the second verifier

verifier: $(STAMPS)/verifier ## build the second verifier: command and page in verifier/dist

demo: setup ## the whole way of one material through five cities, told step by step
	@$(BIN)/tongban demo $(ARGS)

serve: setup ## five cities and the simulated case system, seeded, until Ctrl-C; prints the links
	@$(BIN)/tongban demo --serve $(ARGS)

test: setup ## quick tests, under five minutes on two cores
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadscope --no-loadscope-reorder -m "not slow" $(ARGS)

test-full: setup ## everything, long trials included; writes build/test-full.json
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadscope --no-loadscope-reorder --results build/test-full.json $(ARGS)

test-browser: setup ## every journey in a real Chromium; pictures of every page in build/pictures
	@$(BIN)/python -m pytest tests/browser $(ARGS)

check: setup ## format, lint, types, import rules, generated files fresh
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --config pyproject.toml
	@$(BIN)/python scripts/compile_contracts.py --check
	@$(BIN)/python scripts/make_vectors.py --check
	@$(BIN)/python scripts/list_errors.py --check
	@$(BIN)/python scripts/export_openapi.py --check
	@$(BIN)/python scripts/check_repository.py
	@cd verifier && npm run --silent check

format: $(STAMPS)/python $(STAMPS)/verifier-packages ## format and mend what the linter can mend
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .
	@cd verifier && npm run --silent format

compile: setup ## compile the contracts and write contracts/abi
	@$(BIN)/python scripts/compile_contracts.py

vectors: $(STAMPS)/python ## write the test vectors again
	@$(BIN)/python scripts/make_vectors.py

errors: $(STAMPS)/python ## write docs/errors.md again
	@$(BIN)/python scripts/list_errors.py

openapi: $(STAMPS)/python ## write docs/openapi.json again
	@$(BIN)/python scripts/export_openapi.py

bench: setup ## each job beside its yardstick, interleaved
	@$(BIN)/python -m tests.bench $(ARGS)

lock: $(STAMPS)/python ## resolve requirements.lock again (names no host)
	@$(BIN)/uv pip compile pyproject.toml --extra dev --generate-hashes --universal --no-header --quiet -o requirements.lock

clean: ## remove what the targets made
	rm -rf $(STAMPS) build

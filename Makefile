# One task runner: every target sets up $(VENV) first, from Python 3.11 or 3.12 and nothing else.
SHELL := /bin/bash
VENV ?= .venv
DEMO ?= trb-demo
STAMP := $(VENV)/.set-up
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
# Most tests wait for a server or a build: one more worker than two cores keeps both busy.
WORKERS ?= 3
# A file of tests stays with one worker: they share its servers.
PARALLEL := -n $(WORKERS) --dist loadfile --no-loadscope-reorder
TORCH := $(shell sed -n 's/^torch==//p' constraints.txt)
TORCH_INDEX := https://download.pytorch.org/whl/cpu
QUALIFIES := import ensurepip, sys, venv; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))
# The first that runs: a pyenv shim may be on PATH and still refuse.
PYTHON ?= $(shell for p in python3 python3.12 python3.11 /usr/bin/python3; do \
	if "$$p" -c '$(QUALIFIES)' 2>/dev/null; then echo "$$p"; break; fi; done)

# What a hundred processes import is compiled once, also where the environment asks for no bytecode.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo test unit check static docs bench golden wheel constraints clean

help:  ## Say what there is
	@sed -n 's/^\([a-z]*\):.*  ## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

setup: $(STAMP)  ## Make the virtual environment alone

demo: $(STAMP)  ## The whole way on real handwritten digits: train, build, serve, check, measure
	$(BIN)/trb demo $(DEMO)

test: $(STAMP)  ## All tests, those on a live Triton included; skips are listed with their reasons
	@# A test that holds a rate or a latency against a bound has the machine to itself, after the others.
	failed=0; \
	$(BIN)/python -m pytest -m 'not alone' $(PARALLEL) || failed=1; \
	$(BIN)/python -m pytest -m alone || failed=1; \
	exit $$failed

unit: $(STAMP)  ## The tests that start no process and open no socket
	$(BIN)/python -m pytest tests/unit

check: static unit  ## What has to hold before a commit: format, lint, types, layers, docs, unit tests

static: $(STAMP)  ## What holds without running a test: format, lint, types, layers, docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/generate.py --check

docs: $(STAMP)  ## Write the generated pages and the JSON Schema anew
	$(BIN)/python docs/generate.py

bench: $(STAMP)  ## Run the benchmarks; each prints a ratio measured in one run
	@for script in benchmarks/[a-z]*.py; do echo "== $$script"; $(BIN)/python "$$script" || exit 1; done

golden: $(STAMP)  ## Write what tests/golden and tests/scripts expect anew; read the diff as code
	TRB_GOLDEN=write $(BIN)/python -m pytest -k "golden or stories"

wheel: $(STAMP)  ## Build the wheel into dist/
	$(BIN)/python -m build --wheel

constraints: $(STAMP)  ## Pin what is installed now
	{ sed -n '/^#/p' constraints.txt; $(BIN)/python -m pip freeze --exclude-editable | sed 's/+cpu$$//'; } \
		> constraints.new && mv constraints.new constraints.txt && touch $(STAMP)

clean:  ## Remove what the targets made, the virtual environment included
	rm -rf $(VENV) dist trb-demo

$(STAMP): pyproject.toml constraints.txt
	@test -n '$(PYTHON)' || { echo 'Python 3.11 or 3.12 with its venv module is needed: on Debian or Ubuntu,' \
		'`apt install python3-venv`; or name one with `make PYTHON=/path/to/python3.12 ...`' >&2; exit 1; }
	@echo 'making $(VENV) with $(PYTHON)'
	@$(PYTHON) -m venv $(VENV)
ifeq ($(shell uname -s),Linux)
	@echo 'installing torch $(TORCH), the CPU build'
	@# PyPI's torch for Linux brings gigabytes of CUDA: a CPU wheel that pip is told of, or PyTorch's CPU index.
	@$(PIP) install --no-deps 'torch==$(TORCH)+cpu' 2>/dev/null \
		|| $(PIP) install --no-deps --index-url $(TORCH_INDEX) 'torch==$(TORCH)+cpu' \
		|| { echo 'No CPU build of torch $(TORCH): $(TORCH_INDEX) cannot be reached. Put its wheel' \
			'into a folder and set PIP_FIND_LINKS to it.' >&2; exit 1; }
endif
	@echo 'installing what pyproject.toml asks for, as pinned in constraints.txt'
	$(PIP) install -c constraints.txt -e '.[dev]'
	@touch $@

# Everything a person or CI runs. `make help` lists it.
SHELL := /bin/bash
PY := .venv/bin/python
ROOMS := audit deid enclave hub_config demo
YES ?=
STEPS ?= 10000
KILLS ?= 1000
WORKERS ?= 2
# Some machines set it for all: each of the hundreds of programs that the tests start would compile all it imports.
unexport PYTHONDONTWRITEBYTECODE

help:  ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "%-14s %s\n",$$1,$$2}' $(MAKEFILE_LIST)

setup:  ## install what the demo needs (Debian 12, root); safe to run again
	@scripts/setup --profile demo
demo: setup  ## the whole way from hospital file to released result, then leave it running
	@$(PY) -m demo.story
code:  ## the second factor of a demonstration account: make code WHO=mina
	@$(PY) -m demo.people $(WHO)
down:  ## stop and remove what `make demo` started; data stays
	@/usr/bin/python3 -m scripts.setting_up.down
clean:  ## remove it all, after asking (YES=1: do not ask)
	@/usr/bin/python3 -m scripts.setting_up.clean $(if $(YES),--yes)

setup-test:  ## setup, and what the tests need
	@scripts/setup --profile test
test: check  ## the same as check
check: setup-test format-check lint types layers docs-check suite  ## what CI runs, in this order, nothing else
# Both halves run whatever the first one says; a test is in exactly one of them (tests/test_halves.py).
suite:  ## the tests alone: those that can share the machine (in WORKERS processes), then those that cannot
	$(PY) -m pytest -n $(WORKERS) --dist worksteal -m "not alone"; shared=$$?; $(PY) -m pytest -m alone && exit $$shared
crash: setup-test  ## only the tests that kill processes with -9, at the size for a night (KILLS=1000 of the log)
	ANSIM_KILLS=$$(( $(KILLS) / 2 )) ANSIM_CUTS=20 $(PY) -m pytest -m crash tests
walk: setup-test  ## random histories of requests at the size for a night (STEPS=10000)
	ANSIM_MACHINE_STEPS=$(STEPS) $(PY) -m pytest tests/enclave/test_egress_machine.py
bench: setup-test  ## measure (ONLY="spawn audit": these); writes build/bench.json
	@$(PY) -m tests.bench.run $(ONLY)

format:  ## put the code into its format
	.venv/bin/ruff format . && .venv/bin/ruff check --fix .
format-check:  ## say what is not in its format
	.venv/bin/ruff format --check .
lint:  ## ruff and docstrings
	.venv/bin/ruff check . && .venv/bin/interrogate -q $(ROOMS) images/builder scripts
types:  ## mypy, strict
	.venv/bin/mypy && .venv/bin/mypy -p images.builder -p scripts
layers:  ## directions between rooms
	.venv/bin/lint-imports
lock:  ## write the hash locks anew
	@scripts/lock
docs-check:  ## links, commands and file names in the documents are true
	$(PY) -m scripts.docs_check
shape:  ## sizes of files and functions
	$(PY) -m pytest -q tests/test_shape.py
.PHONY: help code lock setup demo down clean setup-test test check suite crash walk bench format format-check lint types layers docs-check shape

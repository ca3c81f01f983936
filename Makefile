# Everything a person or CI runs. `make help` lists it.
SHELL := /bin/bash
PY := .venv/bin/python
ROOMS := audit deid enclave hub_config demo

help:  ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "%-14s %s\n",$$1,$$2}' $(MAKEFILE_LIST)
format:  ## put the code into its format
	.venv/bin/ruff format . && .venv/bin/ruff check --fix .
format-check:
	.venv/bin/ruff format --check .
lint:  ## ruff and docstrings
	.venv/bin/ruff check . && .venv/bin/interrogate -q $(ROOMS)
types:  ## mypy, strict
	.venv/bin/mypy
layers:  ## directions between rooms
	.venv/bin/lint-imports
.PHONY: help format format-check lint types layers

# Two commands do all the set-up: `make run` and `make test`. `make help` lists the rest.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
JOBS   ?= $(shell nproc 2>/dev/null || echo 2)

.DEFAULT_GOAL := help
.PHONY: help run demo test lint bench install check-python clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## */  \1\t/' | expand -t 12

define WELCOME
superd runs two consumers of the queue "async". In another terminal, in this directory:

  .venv/bin/superctl status
  .venv/bin/messenger dispatch workers.consumers.sms.SmsNotification '{"content": "hello"}'
  tail -f var/log/messenger.log
  kill -9 PID        (one from the status: it is back before you can look)
  .venv/bin/messenger stats
  .venv/bin/messenger stop-workers

Ctrl-C here stops everything, in order.

endef
export WELCOME

run: $(VENV)/.run ## start superd in the foreground with etc/superd.toml and two consumers
	@if pid=$$($(BIN)/superctl -c etc/superd.toml pid 2>/dev/null); then \
	  echo "superd runs already, with pid $$pid: .venv/bin/superctl status asks it"; exit 1; fi
	@$(BIN)/superctl check etc/superd.toml
	@printf '%s\n' "$$WELCOME"
	@exec $(BIN)/superd -n -c etc/superd.toml

demo: $(VENV)/.run ## the whole story by itself: dispatch, kill, respawn, stop-workers
	@$(BIN)/python -m workers.consumers.demo

test: $(VENV)/.dev ## all tests, with formatter, linter, types and import contracts
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup

bench: $(VENV)/.dev ## the figures, beside the real supervisord in the same run
	$(BIN)/python -m tests.bench

install: $(VENV)/.dev ## make the virtual environment with everything in it

clean: ## remove the virtual environment and what the tools left
	rm -rf $(VENV) .bench .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

check-python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "Python 3.11 or newer is needed: sudo apt-get install python3 python3-venv make" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "python3 -m venv does not work here: sudo apt-get install python3-venv" >&2; exit 1; }

$(BIN)/python: | check-python
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[demo]'
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ $(VENV)/.run

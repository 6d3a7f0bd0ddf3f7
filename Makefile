# Every target works in a fresh clone with Python 3.11 and its venv module, as root or not.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
RUN := $(VENV)/bin/python
# Tests at a time; one more than there are cores uses what a worker waits for servers to start and clocks to pass.
WORKERS ?= 3
PIP := $(RUN) -m pip install --quiet --disable-pip-version-check

# A stamp is named after what was installed, so that it says by its name whether it still holds.
RUNTIME := $(VENV)/installed-$(shell cat requirements.txt | cksum | cut -d' ' -f1)
DEVELOPMENT := $(VENV)/installed-dev-$(shell cat requirements.txt requirements-dev.txt | cksum | cut -d' ' -f1)

.DEFAULT_GOAL := help
.PHONY: help install run test lint bench clean

help: ## show these targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1	/' | expand -t 12

install: $(RUNTIME) ## create .venv and install what the console runs on

run: install ## start the console and its demo (HOST, PORT, DATA_DIR, DATABASE_URL: see .env.example)
	@exec env PYTHONDONTWRITEBYTECODE=1 $(RUN) -m billing_console.runtime

test: $(DEVELOPMENT) ## run the whole suite on a throw-away PostgreSQL (ARGS="-k words" for a part)
	@$(RUN) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(DEVELOPMENT) ## ruff, mypy and the import contracts
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy .
	$(RUN) -c "from importlinter.cli import lint_imports_command; lint_imports_command()"

bench: $(DEVELOPMENT) ## measure the ratios that the design promises
	@$(RUN) -m tests.bench

clean: ## remove .venv and caches; the data directory only with WITH_DATA=yes
ifeq ($(WITH_DATA),yes)
	@if [ -x $(RUN) ]; then $(RUN) -m billing_console.runtime.removal; else echo "Run make install first: removing data needs it."; exit 1; fi
else
	@echo "The data directory is kept. 'make clean WITH_DATA=yes' removes it too."
endif
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -not -path './node_modules/*' -prune -exec rm -rf {} +

# Two makes at once take turns where there is a flock, and the second finds the work done.
LOCK := $(shell command -v flock >/dev/null && echo flock Makefile)

$(RUNTIME): | check-python
	@$(LOCK) sh -ec 'test -e $@ && exit; \
		echo "Installing what the console runs on ..."; \
		$(PYTHON) -m venv $(VENV); $(PIP) -r requirements.txt; \
		rm -f $(VENV)/installed-[0-9]*; touch $@'

$(DEVELOPMENT): | $(RUNTIME)
	@$(LOCK) sh -ec 'test -e $@ && exit; \
		echo "Installing what tests and linters need ..."; \
		$(PIP) -r requirements-dev.txt; \
		rm -f $(VENV)/installed-dev-*; touch $@'

.PHONY: check-python
check-python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; set PYTHON to one."; exit 1; }

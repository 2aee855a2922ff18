# make demo   the main job: a world of four countries, from bytes to a frozen account
# make test   everything that must hold; make check: lint, types, import arrows only
# make serve  one node with its web pages; make bench: the claims, measured; make lock: renew the locks
# make docs   docs/reference, written from the code; make fuzz: the readers, fuzzed for SECONDS each
.DELETE_ON_ERROR:
SHELL := /bin/bash
VENV := .venv
PY := $(VENV)/bin/python
PIP_INSTALL := $(PY) -m pip install -qq --require-hashes --no-deps
WARM := import sys; from comity import plugins; from comity.model import AssetId; from comity.ledger.columns import build; from comity.monitoring.run import monitor; monitor(build((), AssetId.money('USD')), only=plugins.names('typologies')[int(sys.argv[1])::2])
COMPILE := $(PY) -m piptools compile -q --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --strip-extras --no-header --no-annotate --allow-unsafe
IN_PLACE := $(PY) -m pip install -qq --no-deps --no-build-isolation --editable .

.PHONY: demo test check bench fuzz docs serve lock clean

$(VENV)/.run: requirements/run.txt pyproject.toml
	@echo "Setting up: a virtual environment in $(VENV) with pinned packages (about 600 MB, once)"
	@test -x $(PY) || python3 -m venv $(VENV) || { echo "python3 -m venv failed: install Debian's python3-venv and run again"; exit 1; }
	@$(PIP_INSTALL) -r requirements/run.txt
	@$(IN_PLACE)
	@echo "Setting up: compiling the typologies to machine code (about two minutes, once)"
	@$(PY) -c "$(WARM)" 0 & $(PY) -c "$(WARM)" 1 && wait $$!
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	@echo "Setting up: test tools into $(VENV)"
	@$(PIP_INSTALL) -r requirements/dev.txt
	@$(IN_PLACE)
	@touch $@

$(VENV)/.system: .ci/system $(VENV)/.dev
	@bash .ci/system
	@touch $@

demo: $(VENV)/.run
	@$(PY) -m comity demo $(if $(KEEP),--keep)

test: $(VENV)/.dev $(VENV)/.system check
	@bash .ci/tests

check: $(VENV)/.dev
	@$(VENV)/bin/ruff check --quiet .
	@$(VENV)/bin/ruff format --quiet --check .
	@$(VENV)/bin/mypy --no-error-summary
	@$(VENV)/bin/lint-imports --no-logo | tail -1

$(VENV)/.bench: requirements/bench.txt $(VENV)/.dev
	@echo "Setting up: the peers to measure beside us, into $(VENV)"
	@$(PIP_INSTALL) -r requirements/bench.txt
	@touch $@

bench: $(VENV)/.bench
	@$(PY) -m bench $(if $(CLAIM),$(CLAIM))

$(VENV)/.fuzz: requirements/fuzz.txt $(VENV)/.dev
	@$(PIP_INSTALL) -r requirements/fuzz.txt
	@touch $@

fuzz: $(VENV)/.fuzz
	@$(PY) -m fuzz --seconds $(or $(SECONDS),60)

docs: $(VENV)/.dev
	@$(PY) -m docs.generate

serve: $(VENV)/.run
	@$(PY) -m comity node serve

lock:
	@$(COMPILE) --extra build -o requirements/run.txt pyproject.toml
	@$(COMPILE) --extra dev -c requirements/run.txt -o requirements/dev.txt pyproject.toml
	@$(COMPILE) -c requirements/dev.txt -o requirements/bench.txt requirements/bench.in
	@$(COMPILE) -c requirements/dev.txt -o requirements/fuzz.txt requirements/fuzz.in

clean:
	rm -rf $(VENV) var .mypy_cache .ruff_cache .pytest_cache .hypothesis

# All that is needed: Python 3.11 or newer, and make. Everything is installed into .venv.
PYTHON  ?= python3
VENV    := .venv
BIN     := $(VENV)/bin
STAMP   := $(VENV)/.installed
PIP_LOG := $(VENV)/pip.log

fail    = { echo "logkit: $(1)" >&2; exit 1; }
install = $(BIN)/python -m pip install --retries 2 --log $(PIP_LOG) $(1) >/dev/null 2>$(PIP_LOG).err \
	|| $(call fail,packages could not be installed; is there a network? $$(grep '^ERROR' $(PIP_LOG).err \
	| tail -n 1) (more in $(PIP_LOG)))
comma   := ,

.PHONY: demo test soak lint bench docs clean

$(STAMP): pyproject.toml
	@command -v $(PYTHON) >/dev/null \
		|| $(call fail,there is no $(PYTHON); install Python 3.11 or newer$(comma) or name it: make PYTHON=...)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| $(call fail,$$($(PYTHON) --version 2>&1) is too old; name Python 3.11 or newer: make PYTHON=...)
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| $(call fail,$(PYTHON) cannot make environments; on Debian and Ubuntu: apt install python3-venv)
	@echo 'logkit: installing into $(VENV) (once, about a minute)'
	@$(PYTHON) -m venv $(VENV)
	@$(call install,--upgrade 'pip>=25.1')
	@$(call install,--editable '.[analysis$(comma)tui]')
	@touch $@

$(VENV)/.installed-dev: $(STAMP)
	@echo 'logkit: installing the tools for tests (once, some minutes)'
	@$(call install,--editable '.[all]' --group dev)
	@touch $@

demo: $(STAMP)
	@$(BIN)/logkit demo
	@echo '(logkit is in $(VENV)/bin; to type it as it stands: . $(VENV)/bin/activate)'

lint: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sqlfluff lint queries

test: lint
	$(BIN)/python -m pytest -n auto

soak: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -m soak

$(VENV)/.installed-bench: $(VENV)/.installed-dev
	@echo 'logkit: installing peers of 700 MB to compare with (once)'
	@for group in bench detectors; do \
		$(BIN)/python -m pip install --group $$group >/dev/null 2>&1 \
		|| echo "logkit: peers of group $$group could not be installed and are left out" >&2; \
	done
	@touch $@

bench: $(VENV)/.installed-bench
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.detection

docs: $(VENV)/.installed-dev
	$(BIN)/python docs/generate.py
	$(BIN)/python samples/generate_monitoring.py
	$(BIN)/python docs/readme.py
	$(BIN)/python -m docs.screenshots

clean:
	rm -rf $(VENV) demo

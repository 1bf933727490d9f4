PYTHON ?= python3

VENV := .venv
BIN := $(VENV)/bin

.DELETE_ON_ERROR:
.PHONY: help demo test check clean

help:
	@echo "make demo    scan a small generated library and look at it"
	@echo "make test    run the whole suite, on SQLite and on PostgreSQL"
	@echo "make check   run flake8, mypy and the rules of the house"
	@echo "make clean   remove the virtualenv and everything that was built"

demo: $(VENV)/demo-installed
	@PYTHONPATH=tests $(BIN)/python tests/examples/demo.py

test: $(VENV)/test-installed
	@$(BIN)/python -m pytest -q -n 2

check: $(VENV)/test-installed
	@$(BIN)/python -m flake8
	@$(BIN)/python -m mypy
	@$(BIN)/python -m pytest -q tests/test_house.py

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .hypothesis htmlcov .coverage .coverage.*
	find viewra_lite tests -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp file stands for each set of installed packages; a changed setup.cfg installs again.

$(VENV)/demo-installed: PACKAGES := -e '.[scan,cli]' av
$(VENV)/test-installed: PACKAGES := -e '.[test]'

$(VENV)/demo-installed $(VENV)/test-installed: setup.cfg pyproject.toml | $(VENV)/created
	@echo "Installing into $(VENV) (once; this takes a moment) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PACKAGES)
	@touch $@

$(VENV)/created:
	@$(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip --version > $@ || { rm -rf $(VENV); \
		echo "$(PYTHON) cannot make a virtualenv with pip in it." >&2; \
		echo "On Debian and Ubuntu: apt install python3-venv. Or: make PYTHON=another-python3" >&2; \
		exit 1; }

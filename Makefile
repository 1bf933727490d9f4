PYTHON ?= python3

VENV := .venv
BIN := $(VENV)/bin

OLDEST := 3.10
VERSION_OF = $(shell $(1) -c 'import platform; print(platform.python_version())' 2>/dev/null)
IS_NEW = $(shell $(1) -c 'import sys; \
	sys.version_info >= tuple(map(int, "$(OLDEST)".split("."))) and print("yes")' 2>/dev/null)

.DELETE_ON_ERROR:
.PHONY: help demo test torture check bench bench-full binary binary-test pyz db-web clean

help:
	@echo "make demo        scan a small generated library and look at it"
	@echo "make test        run the whole suite, on SQLite and on PostgreSQL"
	@echo "make torture     the same, with every repetition and both drivers of SQLite everywhere"
	@echo "make check       run ruff, mypy and the rules of the house"
	@echo "make bench       measure the speed next to raw sqlite3 and other data layers (about twelve minutes)"
	@echo "make bench-full  the same in the sizes of a large library (hours)"
	@echo "make binary      freeze the command line: dist/viewra-lite, and as a folder in a .tar.gz"
	@echo "make binary-test freeze a program that embeds the store, and try it where nothing is installed"
	@echo "make pyz         pack the command line for an installed Python: dist/viewra-lite.pyz"
	@echo "make db-web      show your store in a browser at http://localhost:8081"
	@echo "make clean       remove the virtualenv and everything that was built"

demo: $(VENV)/demo-installed
	@$(BIN)/python -m tests.examples.demo

test: $(VENV)/test-installed
	@$(BIN)/python -m pytest -q -n 2

torture: $(VENV)/test-installed
	@TORTURE=1 $(BIN)/python -m pytest -q -n 2

check: $(VENV)/test-installed
	@$(BIN)/ruff check -q
	@$(BIN)/ruff format --check -q
	@$(BIN)/python -m mypy
	@$(BIN)/python -m pytest -q tests/test_house.py

# PICTURE=file.svg draws it there, and not beside the results in build/bench.
bench bench-full: SIZE = $(if $(filter bench-full,$@),full,quick)
bench bench-full: $(VENV)/bench-installed
	@$(BIN)/python -m tests.benchmarks --size $(SIZE) $(if $(PICTURE),--picture $(PICTURE))

# The tools have a virtualenv of their own, and are pinned: a newer one may pack less.

PACKED := scan,cli,backup,plugins,web
COMMA := ,
TOOLS := build/tools/$(subst $(COMMA),-,$(PACKED))
FREEZE = $(TOOLS)/bin/pyinstaller --log-level ERROR --noconfirm --specpath build --workpath build/freeze \
	$(if $(shell command -v strip),--strip) --name viewra-lite

binary: $(TOOLS)/packed
	@rm -rf dist/viewra-lite dist/viewra-lite-onedir.tar.gz build/onedir
	@$(FREEZE) --onefile $(TOOLS)/bin/viewra-lite
	@$(FREEZE) --distpath build/onedir $(TOOLS)/bin/viewra-lite
	@tar -czf dist/viewra-lite-onedir.tar.gz -C build/onedir viewra-lite
	@$(BIN)/python -m tests.frozen.figures $(TOOLS)/bin/viewra-lite dist/viewra-lite \
		build/onedir/viewra-lite/viewra-lite

binary-test: $(TOOLS)/packed $(VENV)/test-installed
	@FROZEN_BY=$(TOOLS)/bin/pyinstaller $(BIN)/python -m pytest -q tests/frozen

pyz: $(TOOLS)/installed
	@mkdir -p dist && rm -rf build/lib build/bdist.*
	@$(TOOLS)/bin/shiv --quiet -c viewra-lite -o dist/viewra-lite.pyz -p '/usr/bin/env python3' '.[$(PACKED)]'
	@ls -sh dist

# The package as it is now; build/lib would bring files back that were removed.
.PHONY: $(TOOLS)/packed
$(TOOLS)/packed: $(TOOLS)/installed
	@rm -rf build/lib build/bdist.*
	@$(TOOLS)/bin/pip install --quiet --disable-pip-version-check --no-deps --force-reinstall .

$(TOOLS)/installed: setup.cfg Makefile | $(VENV)/created
	@echo "Installing into $(TOOLS) (once; this takes a moment) ..."
	@rm -rf $(TOOLS) build/lib build/bdist.* && $(PYTHON) -m venv $(TOOLS)
	@$(TOOLS)/bin/pip install --quiet --disable-pip-version-check '.[$(PACKED)]' \
		pyinstaller==6.22.3 pyinstaller-hooks-contrib==2026.9 shiv==1.0.8
	@touch $@

# CONFIG=file or URL names another store.
db-web: $(VENV)/web-installed
	@$(BIN)/viewra-lite web $(if $(CONFIG),--config $(CONFIG))

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .hypothesis htmlcov .coverage .coverage.*
	find viewra_lite tests -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp file stands for each set of installed packages; a changed setup.cfg installs again.

STAMPS := $(VENV)/demo-installed $(VENV)/test-installed $(VENV)/bench-installed $(VENV)/web-installed

$(VENV)/demo-installed: PACKAGES := -e '.[scan,cli]' av
$(VENV)/test-installed: PACKAGES := -e '.[test]'
$(VENV)/bench-installed: PACKAGES := -e '.[bench]'
$(VENV)/web-installed: PACKAGES := -e '.[web,postgres]'

$(STAMPS): setup.cfg pyproject.toml | $(VENV)/created
	@echo "Installing into $(VENV) (once; this takes a moment) ..."
	@touch $(VENV)/installing
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PACKAGES)
	@touch $@ && rm $(VENV)/installing

$(VENV)/created:
	$(if $(call IS_NEW,$(PYTHON)),,$(error viewra_lite needs Python $(OLDEST) or newer, and $(PYTHON) $(or \
		$(addprefix is ,$(call VERSION_OF,$(PYTHON))),does not run): make $(MAKECMDGOALS) PYTHON=python3.12))
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip --version > $@ || { rm -rf $(VENV); \
		echo "$(PYTHON) cannot make a virtualenv with pip in it." >&2; \
		echo "On Debian and Ubuntu: apt install python3-venv. Or: make PYTHON=another-python3" >&2; \
		exit 1; }

# The virtualenv is made anew where its Python is gone or too old, where the folder was moved, where
# an installation was interrupted (half a package looks whole to pip), and where another PYTHON is
# asked for.

WANTED := $(if $(filter file,$(origin PYTHON)),,$(or $(call VERSION_OF,$(PYTHON)),none))
USABLE := $(shell test ! -e $(VENV)/installing && $(BIN)/python -I -c 'import os, pip, platform; \
	version = platform.python_version(); made = open("$(VENV)/created").read(); \
	is_here = os.path.dirname(pip.__file__) in made; \
	print("yes" * (is_here and "$(WANTED)" in ("", version)))' 2>/dev/null)

ifneq ($(USABLE)$(call IS_NEW,$(BIN)/python),yesyes)
.PHONY: $(VENV)/created $(STAMPS)
endif

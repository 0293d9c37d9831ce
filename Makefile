# make lab: a virtual environment in .venv, everything installed with pip, JupyterLab on the first lab.
# All paths are relative: make cannot handle the space that the path of this folder may contain.
#
#   PYTHON=python3.12           which Python makes the environment (default: the first that is new enough)
#   TORCH_INDEX=https://...     where torch comes from, or a folder of wheels (default: see tools/torch_index.py)
#   UV=                         keep to pip where uv is there (see tools/install.py)
#   LAB_ARGS="--port=9001"      more options for JupyterLab
#   MY_LABS=folder              where the labs are put to work in (default: my-labs; made, or brought up to date)
#   TEST_ARGS="-k stage"        more options for pytest
#   RELEASE_ARGS="--check"      more options for tools/release.py

SHELL := /bin/sh
PY := .venv/bin/python
INSTALL := $(PY) tools/install.py
PYTHON ?=
TORCH_INDEX ?=
LAB_ARGS ?=
# A folder of the student's own: what is written there, no update of the labs touches.
MY_LABS ?= my-labs
TEST_ARGS ?=
RELEASE_ARGS ?=
export TORCH_INDEX
# What is fetched while torch is unpacked.
EXTRAS := lab
check test lint: EXTRAS := lab,test
# Where this is set, as in many containers, each process compiles all of torch that it imports: seconds, every time.
export PYTHONDONTWRITEBYTECODE :=
# This machine only. JupyterLab's token stays on.
LAB_OPTIONS := --ServerApp.ip=127.0.0.1 --ServerApp.root_dir="$(MY_LABS)" --LabApp.default_url=/lab/tree/00-start-here.ipynb

# Two processes share two cores, so one thread each. loadfile: the cells of a notebook run in one process, in order; the
# files run in the order of tests/conftest.py.
PYTEST := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 NASVIZ_TEST=1 NASVIZ_WORKERS=1 \
	$(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: help lab check test lint docs release doctor clean

help:
	@echo 'make lab      install what is missing, put the labs into my-labs, open the first one in JupyterLab'
	@echo 'make check    install what is missing and run the tests that are quick: no browser, no labs (5 minutes)'
	@echo 'make test     install what is missing and run all tests, the labs and the browser too'
	@echo 'make lint     check the code, its format and its types'
	@echo 'make docs     make the API reference from the docstrings, in docs/api'
	@echo 'make release  make from a tag what is published: wheel, source, editions, slides, site, checksums'
	@echo 'make doctor   check this installation and predict how long the labs take here'
	@echo 'make clean    remove .venv and caches'

lab: .venv/lab.stamp
	@$(PY) -m nasviz labs "$(MY_LABS)"
	@root=; [ "$$(id -u)" != 0 ] || root=--allow-root; \
	PYTHONSTARTUP="$$(pwd)/tools/kernel_start.py" exec $(PY) -m jupyterlab $(LAB_OPTIONS) $$root $(LAB_ARGS)

check: .venv/test.stamp
	$(PYTEST) -m 'not browser and not slow' --hypothesis-profile=check $(TEST_ARGS)

# One run of pytest, so that its last line counts everything.
test: .venv/test.stamp
	$(PYTEST) --nbval-lax --nbval-current-env --nbval-cell-timeout=300 $(TEST_ARGS)

lint: .venv/test.stamp
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

docs: .venv/docs.stamp
	$(PY) -m pdoc -d numpy -o docs/api nasviz '!nasviz._old_names'

release: .venv/release.stamp
	@$(PY) tools/release.py $(RELEASE_ARGS)

doctor: .venv/lab.stamp
	@$(PY) -m nasviz doctor

clean:
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis build dist
	find nasviz tests tools benchmarks data labs -name __pycache__ -prune -exec rm -rf {} +
	find labs -name .ipynb_checkpoints -prune -exec rm -rf {} +

# ------------------------------------------------------------------------------------------------ the environment
# Each stamp marks a finished step, so that a second start takes seconds and an interrupted one goes on where it was.

.venv/python.stamp:
	@for python in "$(PYTHON)" python3.13 python3.12 python3.11 python3.14 python3 python; do \
	    [ -n "$$python" ] || continue; \
	    "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && found="$$python" && break; \
	    [ "$$python" != "$(PYTHON)" ] || { echo "PYTHON=$$python does not run, or is older than 3.11." >&2; exit 1; }; \
	done; \
	[ -n "$$found" ] || { echo 'nasviz needs Python 3.11 or newer, and none was found on the PATH.' \
	    'Install one (python.org, or your package manager), or name it: make lab PYTHON=/path/to/python3' >&2; exit 1; }; \
	"$$found" -c 'import ensurepip, venv' 2>/dev/null || { echo "$$found cannot make virtual environments." \
	    'On Debian and Ubuntu, install its package python3-venv; or name another: make lab PYTHON=...' >&2; exit 1; }; \
	echo "Making .venv with $$("$$found" --version) ..."; \
	rm -rf .venv && "$$found" -m venv .venv && touch $@

# torch and torchvision together, in a step of their own: a torchvision of another build than torch fails on import.
# Its progress is shown on a terminal, not in a log.
.venv/torch.stamp: .venv/python.stamp tools/torch_index.py
	@options=$$($(PY) tools/torch_index.py) || exit 1; \
	[ -t 1 ] || options="--quiet $$options"; \
	echo 'Installing torch (the long part) ...'; \
	$(INSTALL) torch $(EXTRAS) $$options 'torch>=2.9' torchvision && touch $@

# Without the plugin "announcements", JupyterLab asks nobody about news and looks for no updates.
define QUIET
@mkdir -p .venv/etc/jupyter/labconfig
@echo '{"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": true}}' \
    > .venv/etc/jupyter/labconfig/page_config.json
endef

.venv/lab.stamp: .venv/torch.stamp pyproject.toml
	@echo 'Installing nasviz and JupyterLab ...'; $(INSTALL) project lab --quiet
	$(QUIET)
	@touch $@

# One installation for both, where neither is there.
.venv/test.stamp: .venv/torch.stamp pyproject.toml
	@echo 'Installing nasviz, JupyterLab and what tests them ...'; $(INSTALL) project lab,test --quiet
	$(QUIET)
	@touch .venv/lab.stamp $@

.venv/docs.stamp: .venv/lab.stamp
	@echo 'Installing pdoc ...'; $(INSTALL) project lab,docs --quiet && touch $@

.venv/release.stamp: .venv/lab.stamp
	@echo 'Installing what makes a release ...'; $(INSTALL) project lab,site,docs --quiet 'hatchling>=1.27'
	@touch $@

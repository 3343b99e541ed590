PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := MPLBACKEND=Agg $(BIN)/python -m pytest -n 2 --dist loadfile

.PHONY: run test quick lint figures page

run: $(VENV)/installed
	$(BIN)/python SimpleRNN.py

test: $(VENV)/installed
	$(PYTEST)

quick: lint  # what a small change needs
	$(PYTEST) -m "not slow"

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

figures: $(VENV)/installed  # measures anew: docs/measured.md, and the tables of the READMEs
	$(BIN)/python benchmarks/figures.py

page: $(VENV)/installed  # page/*.html, each in one file, from page/src/
	$(BIN)/python page/build.py

$(VENV)/installed: pyproject.toml requirements.txt requirements-dev.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	touch $@

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test quick lint links clean

run: $(VENV)/installed
	$(BIN)/python SimpleRNN.py

test: $(VENV)/installed
	MPLBACKEND=Agg $(BIN)/python -m pytest -n 2 --dist loadfile

quick: lint  # what a small change needs
	MPLBACKEND=Agg $(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow"

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

links: $(VENV)/installed  # the line numbers that the READMEs link to
	$(BIN)/python tests/test_readme.py

$(VENV)/installed: requirements.txt requirements-dev.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	touch $@

clean:
	rm -rf $(VENV) outputs

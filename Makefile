# Two commands do everything from a fresh clone: `make demo` and `make test`. They set up .venv by themselves.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test test-all lint setup clean

demo: $(READY)
	$(BIN)/composable fit examples/auto_imports.csv --target price --time-limit 30 --out runs/demo </dev/null

test: lint
	$(BIN)/python -m pytest -q -m "not slow" </dev/null

test-all: lint
	$(BIN)/python -m pytest -q </dev/null

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check --quiet
	$(BIN)/basedpyright
	$(BIN)/lint-imports

setup: $(READY)

# A virtual environment without its own pip serves where Debian's python3 comes without ensurepip.
$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv || $(PYTHON) -m venv --clear --without-pip .venv
	$(PYTHON) -m pip --python $(BIN)/python install --quiet --no-input --disable-pip-version-check \
	    --constraint constraints.txt --editable ".[onnx,dev]" </dev/null
	touch $@

clean:
	rm -rf .venv build *.egg-info

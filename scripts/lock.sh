#!/bin/sh
# Writes the lock files: every package with its hashes, for Python 3.10 and later.
#   scripts/lock.sh                          keeps the versions that still fit
#   scripts/lock.sh --upgrade                takes the newest ones
#   scripts/lock.sh --upgrade-package NAME   takes the newest one of NAME
set -eu
cd "$(dirname "$0")/.."

compile() {
    .venv/bin/uv pip compile --quiet --universal --python-version 3.10 --generate-hashes --no-sources \
        --no-annotate --no-header --no-emit-index-url --no-emit-find-links "$@"
}

# dagger-io is not in the module's lock: Dagger's runtime puts its own copy beside the module and installs that.
compile --no-emit-package dagger-io -o requirements.lock "$@" pyproject.toml
compile --extra cli --group dev -o requirements-dev.lock "$@" pyproject.toml engine/pyproject.toml
compile -o pipeline/data/python-tools.lock "$@" pipeline/data/python-tools.in
compile -o tests/renovate/node.lock "$@" tests/renovate/node.in

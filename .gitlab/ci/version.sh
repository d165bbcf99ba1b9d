#!/bin/sh
# Prints the version of the images that a job builds: the tag's, or that of the project with the branch's commit.
set -eu
if [ -n "${CI_COMMIT_TAG-}" ]; then
    echo "${CI_COMMIT_TAG#v}"
else
    echo "$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml)-dev.c$CI_COMMIT_SHORT_SHA"
fi

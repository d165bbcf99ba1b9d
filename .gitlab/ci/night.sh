#!/bin/sh
# Releases the newest version again where `outdated` has found that it needs a rebuild: sets the git tag of the next
# patch version, whose own pipeline tests, builds and publishes it like any release.
#   night.sh outdated.json
# The tag stands on a commit on top of the last release's, which adds the section of CHANGELOG.md and nothing else:
# what has been merged since then and is not released yet stays out of it.
set -eu
report=$1

stop() {
    echo "night: $1" >&2
    exit "${2-1}"
}

# The first value of a key of the report, which has one key a line.
reported() {
    sed -n "s/^ *\"$1\": \"\{0,1\}\([^\",]*\).*/\1/p" "$report" | head -n 1
}

if [ "$(reported outdated)" = false ]; then
    echo "night: $(reported version) is up to date"
    exit 0
fi
tag=$(git tag --list | grep -E '^v?[0-9]+\.[0-9]+\.[0-9]+$' | sed 's/^v\{0,1\}\(.*\)/\1 &/' | sort -V | tail -n 1)
version=${tag% *} tag=${tag#* }
[ "$version" = "$(reported version)" ] ||
    stop "the newest tag is '$tag', and the newest release $(reported version); see to the pipeline of that tag first"

next=${version%.*}.$((${version##*.} + 1))
[ -n "${RELEASE_TOKEN-}" ] ||
    stop "$version needs a rebuild, and RELEASE_TOKEN is not set, with which this sets the tag $next; set it by hand" 10

work=$(mktemp -d)
trap 'git worktree remove --force "$work"' EXIT
git worktree add --quiet --detach "$work" "$tag"
section="## [$next] - ${CI_PIPELINE_CREATED_AT%%T*}\n\n### Security\n\n- $version again, with the updates of its packages.\n"
awk -v section="$section" '/^## \[/ && !done { print section; done = 1 } { print }' "$work/CHANGELOG.md" >"$work/new"
mv "$work/new" "$work/CHANGELOG.md"
who="-c user.name=$CI_PROJECT_PATH_SLUG -c user.email=noreply@$CI_SERVER_HOST"
# shellcheck disable=SC2086  # neither a slug nor a host holds spaces
{
    git -C "$work" $who commit --quiet --message "Release $version again as $next" CHANGELOG.md
    git -C "$work" $who tag --annotate --message "$version again, with the updates of its packages" "$next"
}
# shellcheck disable=SC2016  # git's shell reads the token from the environment, so that it stands in no argument
git -c credential.helper= -c credential.helper='!f() { echo username=night; echo "password=$RELEASE_TOKEN"; }; f' \
    push --quiet "$CI_PROJECT_URL.git" "refs/tags/$next"
echo "night: $version needs a rebuild, and is released again as $next"

#!/bin/sh
# Releases the newest version again where `outdated` has found that it needs a rebuild: sets the git tag of the next
# patch version, whose own pipeline tests, builds, publishes and announces it like any release.
#   night.sh outdated.json
# The tag stands on a commit on top of the last release's, which adds the section of CHANGELOG.md and pins the bases
# anew that have moved, and nothing else: what has been merged since then and is not released yet stays out of it.
# A merge request brings both to the default branch: that of the branch nightly-1.2, which all nights of a series use.
# Tag and branch are pushed together, or neither is.
# A tag whose pipeline does not end with a release stops no later night: that takes the patch version after it.
set -eu
report=$1
# A pipeline has this many seconds to publish its version before another night takes the next one.
patience=43200

say() {
    echo "night: $1" >&2
}
stop() {
    say "$1"
    exit "${2-1}"
}

# The values of a key of the report that are not empty, and the first of them; the report has one key a line.
reported_all() {
    sed -n "s/^ *\"$1\": \"\{0,1\}\([^\",]\{1,\}\).*/\1/p" "$report"
}
reported() {
    reported_all "$1" | head -n 1
}

released=$(reported version)
if [ "$(reported outdated)" = false ]; then
    echo "night: $released is up to date"
    exit 0
fi

# Final versions, each with its tag, in their order.
tags=$(git tag --list | grep -E '^v?[0-9]+\.[0-9]+\.[0-9]+$' | sed 's/^v\{0,1\}\(.*\)/\1 &/' | sort -V)
tag=$(echo "$tags" | awk -v released="$released" '$1 == released { print $2; exit }')
[ -n "$tag" ] || stop "the newest release is $released, and no tag has that name; set it on the commit of that release"
for one in $(echo "$tags" | awk -v released="$released" 'later { print $2 } $1 == released { later = 1 }'); do
    made=$(git for-each-ref --format='%(creatordate:unix)' "refs/tags/$one")
    if [ "$(($(date +%s) - made))" -lt "$patience" ]; then
        say "$released needs a rebuild, and the pipeline of $one may still publish it; the next night looks again"
        exit 0
    fi
    say "$one is tagged and not released; see to its pipeline"
done

series=${released%.*}
last=$(echo "$tags" | awk -v series="$series." 'index($1, series) == 1 { last = $1 } END { print last }')
next=$series.$((${last##*.} + 1))
[ -n "${RELEASE_TOKEN-}" ] ||
    stop "$released needs a rebuild, and RELEASE_TOKEN is not set, with which this sets the tag $next; set it by hand" 10

# shellcheck disable=SC2016  # git's shell reads the token from the environment, so that it stands in no argument
remote() {
    git -c credential.helper= -c credential.helper='!f() { echo username=night; echo "password=$RELEASE_TOKEN"; }; f' "$@"
}
as_project() {
    git -c "user.name=$CI_PROJECT_PATH_SLUG" -c "user.email=noreply@$CI_SERVER_HOST" "$@"
}
# Pins a base anew in a checkout; fails if that has another one.
pin() {
    grep -q "\"${2%@*}@" "$1/$lines" || return 1
    sed "s|\"${2%@*}@[^\"]*\"|\"$2\"|" "$1/$lines" >"$1/new"
    mv "$1/new" "$1/$lines"
}

scratch=$(mktemp -d)
work=$scratch/release merged=$scratch/merged
trap 'git worktree remove --force "$work"; git worktree remove --force "$merged"; rm -r "$scratch"' EXIT
git worktree add --quiet --detach "$work" "$tag"
git worktree add --quiet --detach "$merged" HEAD
# One base a line of images that has moved.
lines=pipeline/catalogue/lines.py
for base in $(reported_all base); do
    if pin "$work" "$base"; then
        pin "$merged" "$base" || say "$lines of $CI_DEFAULT_BRANCH has another base than $base; move it there by hand"
    elif grep -qE '"(security updates are pending|it is [0-9]+ days old)' "$report"; then
        say "the base is $base now, and lines.py of $tag has another one; $next does not move it"
    else
        stop "the base is $base now, and lines.py of $tag has another one; move it where it is set" 10
    fi
done
section="## [$next] - ${CI_PIPELINE_CREATED_AT%%T*}\n\n### Security\n\n- $released again, with the updates of its packages.\n"
awk -v section="$section" '/^## \[/ && !done { print section; done = 1 } { print }' "$work/CHANGELOG.md" >"$work/new"
mv "$work/new" "$work/CHANGELOG.md"
as_project -C "$work" commit --quiet --all --message "Release $released again as $next"
as_project -C "$work" tag --annotate --message "$released again, with the updates of its packages" "$next"

# The merge request's commit is the default branch's tree with the same changes, whatever else its CHANGELOG.md says, so
# that it never conflicts. The tag's commit is an ancestor, and so is what earlier nights have left on the branch.
branch=nightly-${released%.*}
title="Merge $next, which is $released again"
awk -f "$(dirname "$0")/sections.awk" "$merged/CHANGELOG.md" "$work/CHANGELOG.md" "$merged/CHANGELOG.md" >"$merged/new"
mv "$merged/new" "$merged/CHANGELOG.md"
git -C "$merged" add --all
parents="-p HEAD -p $next^{commit}"
if [ -n "$(remote ls-remote "$CI_PROJECT_URL.git" "refs/heads/$branch")" ]; then
    remote -C "$merged" fetch --quiet "$CI_PROJECT_URL.git" "refs/heads/$branch"
    parents="$parents -p FETCH_HEAD"
fi
# shellcheck disable=SC2086  # the list of parents must split into words
commit=$(as_project -C "$merged" commit-tree $parents -m "$title" "$(git -C "$merged" write-tree)")

output=$scratch/output
remote push --atomic --porcelain --push-option=merge_request.create \
    --push-option="merge_request.target=$CI_DEFAULT_BRANCH" --push-option=merge_request.remove_source_branch \
    --push-option="merge_request.title=$title" \
    "$CI_PROJECT_URL.git" "refs/tags/$next" "$commit:refs/heads/$branch" >"$output" 2>&1 || {
    cat "$output" >&2
    git tag --delete "$next" >/dev/null
    stop "neither the tag $next nor the branch $branch is pushed; may RELEASE_TOKEN push both?"
}
warned=$(grep -c 'Error encountered with push options' "$output" || true)
sed -n 's/^remote: *//p' "$output" >&2
echo "night: $released needs a rebuild, and is released again as $next; the branch $branch brings it to $CI_DEFAULT_BRANCH"
[ "$warned" = 0 ] || stop "GitLab made no merge request of $branch; open it by hand" 10

#!/bin/sh
# Creates the GitLab release of a tag's pipeline, described by notes in Markdown; one that is there stays as it is.
#   announce.sh release-notes.md
# GitLab's keyword `release` takes a job in an image of its own: until GitLab 20 one with release-cli, which is being
# removed, then one with glab. This is the API below both; it takes the job's own token since GitLab 11.7 and 12.7.
# Source: https://docs.gitlab.com/api/releases/#create-a-release
set -eu
notes=$1
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

version=$("$(dirname "$0")/version.sh")
# The token is read from standard input, so that it stands in no argument.
status=$(
    printf 'header = "JOB-TOKEN: %s"\n' "$CI_JOB_TOKEN" |
        curl --config - --silent --show-error --retry 3 --max-time 60 --output "$answer" --write-out '%{http_code}' \
            ${CI_SERVER_TLS_CA_FILE:+--cacert "$CI_SERVER_TLS_CA_FILE"} \
            --data-urlencode "tag_name=$CI_COMMIT_TAG" \
            --data-urlencode "name=$version" \
            --data-urlencode "description@$notes" \
            "$CI_API_V4_URL/projects/$CI_PROJECT_ID/releases"
)
case $status in
201) echo "announce: GitLab has the release $version now" ;;
409) echo "announce: GitLab has the release $version already, which stays as it is" ;;
*)
    message=$(head -c 500 "$answer" | tr -cd '[:print:]')
    echo "announce: GitLab made no release $version ($status: $message); may the user of this pipeline set the tag?" >&2
    exit 1
    ;;
esac

#!/bin/sh
# Calls a function of the module on Dagger's engine: `dagger.sh build-all -o dist`. A module does not see the job's
# environment, so this gives it the labels and the lines that `ska-images` reads there by itself.
set -eu

labels() {
    while read -r name personal; do
        if [ -z "$personal" ] || [ "${SKA_PERSONAL_LABELS-}" = true ]; then
            value=$(printenv "$name" || true)
            # One field of CSV a label, as --label takes it: https://www.rfc-editor.org/rfc/rfc4180
            [ -z "$value" ] || printf '"%s=%s",' "$name" "$(printf %s "$value" | sed 's/"/""/g')"
        fi
    done <pipeline/data/gitlab-labels.txt
    printf 'org.opencontainers.image.revision=%s' "$CI_COMMIT_SHA"
}

exec dagger -m . call --label="$(labels)" ${SKA_LINES:+"--line=$SKA_LINES"} "$@"

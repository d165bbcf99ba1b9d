# One start of Poetry shows both: its version comes first.
commands=$(poetry list --no-ansi 2>&1 || true)
version=$(echo "$commands" | head -n 1)
fact "version of Poetry" "Poetry (version $1)" "$version"
# Consumers copy these directories out of the image, and expect it there.
fact "where Poetry is" "/usr/bin/poetry /usr/lib/pipx/venvs/poetry/bin/poetry" \
    "$(command -v poetry) $(ls /usr/lib/pipx/venvs/poetry/bin/poetry)"
fact "poetry export" "poetry export" "$(echo "$commands" | grep -o '^  export ' | sed 's/ *export */poetry export/')"
verdict "$version"

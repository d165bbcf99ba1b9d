version=$(poetry --version --no-ansi 2>&1 || true)
fact "version of Poetry" "Poetry (version $1)" "$version"
# Consumers copy these directories out of the image, and expect it there.
fact "where Poetry is" "/usr/lib/pipx/venvs/poetry/bin/poetry" "$(readlink -f "$(command -v poetry)")"
verdict "$version"

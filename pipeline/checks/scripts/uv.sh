version=$(uv --version 2>&1 || true)
fact "version of uv" "uv $1" "$(echo "$version" | cut -d' ' -f1,2)"
fact "version of uvx" "uvx $1" "$(uvx --version 2>&1 | cut -d' ' -f1,2)"
# Dockerfiles copy /usr/local into images that only run applications.
fact "programs in /usr/local" "" "$(find /usr/local -type f -perm /0111 | paste -sd ' ')"
fact "Pythons that uv knows" "$(readlink -f /usr/bin/python3)" "$(readlink -f "$(uv python find 2>&1)")"
fact "downloads of Python" "never" "$UV_PYTHON_DOWNLOADS"
verdict "$version"

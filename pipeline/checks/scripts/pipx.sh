export HOME="$work"
fact "pipx" "yes" "$(pipx --version >/dev/null && echo yes)"
fact "pipx list" "nothing has been installed with pipx" "$(pipx list 2>&1 | grep -o 'nothing has been installed with pipx')"
verdict "pipx $(pipx --version)"

version=$(pipx --version)
fact "pipx list" "nothing has been installed with pipx" "$(pipx list 2>&1 | grep -o 'nothing has been installed with pipx')"
verdict "pipx $version"

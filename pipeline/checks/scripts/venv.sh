python -m venv --copies environment
fact "the environment's Python" "$work/environment" "$(environment/bin/python -c 'import sys; print(sys.prefix)')"
version=$(environment/bin/pip --version | cut -d' ' -f1,2)
fact "pip in it" "pip" "${version% *}"
verdict "$version"

python -m venv --copies environment
fact "the environment's Python" "$work/environment" "$(environment/bin/python -c 'import sys; print(sys.prefix)')"
fact "pip in it" "yes" "$(environment/bin/pip --version >/dev/null && echo yes)"
verdict "$(environment/bin/pip --version | cut -d' ' -f1,2)"

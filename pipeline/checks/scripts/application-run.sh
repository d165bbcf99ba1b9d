export PATH="$1/bin:$PATH"
fact "the environment's Python" "$1" "$(python -c 'import sys; print(sys.prefix)' 2>&1)"
fact "the compiled module's answer" "42" "$(python -c 'import compiled; print(compiled.answer())' 2>&1)"
verdict "$(python --version) at $1"

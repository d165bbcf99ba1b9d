# $1 is the Python of the image that made the environments, $2 the one of uv, $3 of Poetry, $4 of venv.
fact "Python's version, which the environments need" "$1" "$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
runs() { # WHOSE PATH
    fact "the program in the environment that $1 made at $2" "42 $2" "$("$2/bin/answer" 2>&1 | tail -n 1)"
    fact "the compiled module in it" "42" "$("$2/bin/python" -c 'import compiled; print(compiled.answer())' 2>&1 | tail -n 1)"
}
runs uv "$2"
runs Poetry "$3"
runs venv "$4"
verdict "Python $1 runs what uv, Poetry and venv make"

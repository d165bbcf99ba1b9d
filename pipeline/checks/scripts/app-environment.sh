# $1 is the Python that the environment was made with.
fact "Python's version, which the environment needs" "$1" "$("$VIRTUAL_ENV/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
lacking=$(find "$VIRTUAL_ENV" -name '*.so*' -type f -exec ldd {} + 2>/dev/null | sed -n 's/^[[:space:]]*\(.*\) => not found.*/\1/p' | sort -u | tr '\n' ' ')
# Wheels bring some of their libraries, which only their own modules find.
for library in $lacking; do
    if [ -z "$(find "$VIRTUAL_ENV" -name "$library")" ]; then fact "a library that a compiled module needs" "" "$library; add its package with --apt"; fi
done
fact "pip in the environment" "" "$(find "$VIRTUAL_ENV" -path '*/site-packages/pip' -prune)"
verdict "Python $1, and every library of its compiled modules"

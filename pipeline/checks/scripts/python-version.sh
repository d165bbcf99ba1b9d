fact "Python's version, which the label names" "$1" "$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
verdict "$1"

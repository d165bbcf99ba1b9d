fact "Python's version" "$1" "$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
verdict "$1"

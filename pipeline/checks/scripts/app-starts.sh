# $1 is the program that the image starts, $2 the project's name, or empty for one that has no console scripts.
fact "the program that the image starts" "found" "$(command -v "$1" >/dev/null && echo found || echo "no $1 in $PATH")"
loaded=$("$VIRTUAL_ENV/bin/python" -B - "$2" <<'END'
import importlib.metadata
import os
import sys

name = sys.argv[1]
scripts = importlib.metadata.distribution(name).entry_points if name else []
for script in scripts:
    if script.group != "console_scripts":
        continue
    path = os.path.join(os.environ["VIRTUAL_ENV"], "bin", script.name)
    with open(path, encoding="utf-8") as file:
        interpreter = file.readline()[2:].strip()
    if not os.access(path, os.X_OK):
        print(f"{script.name}: it is not executable")
    elif interpreter != "/bin/sh" and not os.access(interpreter.split()[0], os.X_OK):
        print(f"{script.name}: there is no {interpreter}")
    try:
        script.load()
    except BaseException as error:
        print(f"{script.name}: {type(error).__name__}: {error}")
END
)
fact "the console scripts that do not start" "" "$loaded"
verdict "$1 and every console script start"

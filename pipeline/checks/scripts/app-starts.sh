# $1 is the program that the image starts, $2 the project's name, or empty for one that has no console scripts, $3 the
# module that Python starts, or empty.
fact "the program that the image starts" "found" "$(command -v "$1" >/dev/null && echo found || echo "no $1 in $PATH")"
loaded=$("$VIRTUAL_ENV/bin/python" -B - "$2" "$3" <<'END'
import importlib.metadata
import importlib.util
import os
import sys

name, module = sys.argv[1:]
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
if module:
    try:
        spec = importlib.util.find_spec(module)
        if spec and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(f"{module}.__main__")
    except BaseException as error:
        print(f"python -m {module}: {type(error).__name__}: {error}")
    else:
        if spec is None:
            print(f"python -m {module}: there is no such module, or it has no __main__")
END
)
fact "what does not start" "" "$loaded"
verdict "$1 is there, and every console script can be imported"

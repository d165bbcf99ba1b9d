# $1 is the project's name, or empty for one that runs from /src.
found=$(cd / && "$VIRTUAL_ENV/bin/python" -B - "$1" 2>&1 <<'END'
import importlib
import importlib.metadata
import os
import sys

name = sys.argv[1]
if name:
    files = importlib.metadata.distribution(name).files or []
    parts = [file.parts for file in files]
    modules = {words[0] for words in parts if len(words) > 1 and words[1] == "__init__.py"}
    modules |= {words[0][:-3] for words in parts if len(words) == 1 and words[0].endswith(".py")}
else:
    modules = {entry.name for entry in os.scandir("/src") if os.path.exists(os.path.join(entry.path, "__init__.py"))}
if not modules:
    sys.exit("found no module of the application")
for module in sorted(modules):
    importlib.import_module(module)
print("imported", ", ".join(sorted(modules)))
END
) || { echo "$found" | tail -n 5 >&2; exit 1; }
echo "$found" | tail -n 1

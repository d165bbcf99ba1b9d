# Everything else that pip found there it would leave out of an application that is copied to another image.
fact "what the system's Python shows" "pip" "$(python3 -c '
from importlib.metadata import distributions
print(*sorted({found.metadata["Name"] for found in distributions()}))')"
fact "modules that an application could import by chance" "" "$(python3 -c '
import importlib.util
names = ("setuptools", "pkg_resources", "wheel", "click", "packaging", "platformdirs", "requests")
print(*(name for name in names if importlib.util.find_spec(name)))')"
fact "the mark of a Python that pip may not change" "" "$(ls /usr/lib/python3*/EXTERNALLY-MANAGED 2>/dev/null)"
fact "first directory of PATH" "/root/.local/bin" "${PATH%%:*}"
verdict "$(python3 --version) with pip alone"

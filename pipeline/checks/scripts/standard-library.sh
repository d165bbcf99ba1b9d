# dpkg lists what the distribution ships, so that a module missing from the disk is noticed. The arguments are modules
# that import on other operating systems only.
cat >sweep.py <<'END'
import importlib, os, sys, sysconfig, warnings
from pathlib import Path

warnings.simplefilter("ignore")
root = sysconfig.get_path("stdlib")
# They open a browser, print, or run a test suite.
skipped = {"antigravity", "this", "idlelib", "test", "turtledemo", "__phello__", *sys.argv[1:]}
# They need what the distribution has in packages of its own: python3-tk, -gdbm, -distutils, -lib2to3, -venv.
skipped |= {"tkinter", "turtle", "dbm.gnu", "distutils", "_distutils_system_mod", "lib2to3"}
elsewhere = {"_gdbm", "_tkinter", "tkinter", "distutils", "ensurepip", "lib2to3"}
names = set()
for listing in Path("/var/lib/dpkg/info").glob("*python3*.list"):
    for path in map(Path, listing.read_text().splitlines()):
        if not path.is_relative_to(root) or path.suffix not in (".py", ".so"):
            continue
        inside = path.relative_to(root)
        if inside.parts[0] == "lib-dynload":
            inside = Path(inside.name.split(".")[0])
        name = ".".join(inside.with_suffix("").parts).removesuffix(".__init__")
        parts = name.split(".")
        if parts[0] in skipped or name in skipped or "__main__" in parts or not all(p.isidentifier() for p in parts):
            continue
        if not parts[0].startswith(("config-", "_sysconfigdata", "dist-packages", "site-packages")):
            names.add(name)
failed = []
for name in sorted(names | set(sys.builtin_module_names)):
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name not in elsewhere:
            failed.append(f"{name}: expected to import, found {error!r}")
    except BaseException as error:
        failed.append(f"{name}: expected to import, found {error!r}")
if len(names) < 200:
    failed.append(f"modules on dpkg's list: expected more than 200, found {len(names)}")
print("\n".join(failed), file=sys.stderr)
print(f"{len(names)} modules import")
sys.stdout.flush()
# Some modules leave threads or handlers behind.
os._exit(bool(failed))
END
python3 -B sweep.py "$@"

# The standard library's modules, but for those that install pip or build extensions.
cd "$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"
find . \( -name ensurepip -o -name 'config-*' \) -prune -o \( -name '*.py' -o -name '*.so' \) -print | sort

# pip can install into the system's Python, as on Ubuntu 22.04: in a container nothing else shares that Python. The
# diversion survives upgrades.
for marker in /usr/lib/python3*/EXTERNALLY-MANAGED; do
    if test -e "$marker"; then dpkg-divert --local --rename --add "$marker"; fi
done

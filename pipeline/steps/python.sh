# pip can install into the system's Python, as on Ubuntu 22.04: in a container nothing else shares that Python. The
# diversion survives upgrades.
for marker in /usr/lib/python3*/EXTERNALLY-MANAGED; do
    if test -e "$marker"; then dpkg-divert --local --rename --add "$marker"; fi
done
# Up to Python 3.11, some modules of the standard library are in a package of their own, which compilers for Python need.
# Without it, an application would find them in the build image alone.
candidate=$(apt-cache policy python3-distutils | sed -n 's/^ *Candidate: //p')
if [ "${candidate:-(none)}" != "(none)" ]; then apt-get install python3-distutils; fi

# root installs into the system's Python, others into their own; no index is used.
export PIP_NO_INDEX=1 PIP_ROOT_USER_ACTION=ignore PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
mkdir wheel wheel/probe-1.dist-info
echo 'answer = 42' >wheel/ska_check_probe.py
printf 'Metadata-Version: 2.1\nName: probe\nVersion: 1\n' >wheel/probe-1.dist-info/METADATA
printf 'Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n' >wheel/probe-1.dist-info/WHEEL
printf '%s,,\n' ska_check_probe.py probe-1.dist-info/METADATA probe-1.dist-info/WHEEL probe-1.dist-info/RECORD \
    >wheel/probe-1.dist-info/RECORD
(cd wheel && python -m zipfile -c ../probe-1-py3-none-any.whl *)
pip install --quiet ./probe-1-py3-none-any.whl
# Without a home, Python would not look there; container engines set the one of passwd, or /.
if [ -z "${HOME-}" ]; then HOME=$(getent passwd "$(id -u)" | cut -d: -f6); fi
answer=$(cd / && HOME="${HOME:-/}" python -c 'import pip, ska_check_probe; print(ska_check_probe.answer, pip.__version__)')
fact "the installed module's answer" "42" "${answer% *}"
verdict "pip ${answer#* }, installs"

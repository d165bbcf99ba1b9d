# Prints what an image says of its own packages, a line each: kind, name, version, architecture, place; tabs between.
# dpkg lists the packages of the distribution, and list_packages.py, $1, everything else. $2 is the file to write.
exec >"$2"
dpkg-query --show --showformat='${db:Status-Status}\t${Package}\t${Version}\t${Architecture}\n' |
    sed -n '/^\(not-installed\|config-files\)\t/d; s/^[^\t]*\t/deb\t/p' | sed 's/$/\t/'
places=$(mktemp)
# Trivy leaves out what PEP 770 puts into a .dist-info: https://github.com/aquasecurity/trivy/pull/10033
find / -xdev -path '*.dist-info/sboms' -prune -o \( -name '*.dist-info' -o -name '*.egg-info' -o -name '*.cdx.json' -o -name '*.cdx' \) -print >"$places"
if python=$(command -v python3); then
    find / -xdev -type f -perm /0111 -print >>"$places"
    "$python" -I "$1" <"$places"
elif test -s "$places"; then
    echo "There is no python3 in the image that would tell of $(head -n 1 "$places")." >&2
    exit 1
fi

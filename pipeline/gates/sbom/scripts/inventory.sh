# Prints what an image says of its own packages, a line each: kind, name, version, architecture, place; tabs between.
# dpkg tells the packages of the distribution, Python the distributions that dpkg has not brought, and documents in
# the image what others carry inside of them. $1 is list_packages.py, $2 the file that is written.
exec >"$2"
dpkg-query --show --showformat='${db:Status-Status}\t${Package}\t${Version}\t${Architecture}\n' |
    sed -n '/^\(not-installed\|config-files\)\t/d; s/^[^\t]*\t/deb\t/p' | sed 's/$/\t/'
places=$(mktemp)
# Trivy leaves out what PEP 770 puts into a .dist-info: https://github.com/aquasecurity/trivy/pull/10033
find / -xdev -path '*.dist-info/sboms' -prune -o \( -name '*.dist-info' -o -name '*.egg-info' -o -name '*.cdx.json' -o -name '*.cdx' \) -print >"$places"
if python=$(command -v python3); then
    "$python" -I "$1" <"$places"
elif test -s "$places"; then
    echo "There is no python3 in the image that would tell of $(head -n 1 "$places")." >&2
    exit 1
fi

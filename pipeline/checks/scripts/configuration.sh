# A newer version of each package with a configuration file that the image has changed, as an upgrade brings it.
dpkg-query --show --showformat '${Package}\n${Conffiles}\n' | while read -r first second _; do
    case $first in
        # A file that a later version removes has no checksum.
        /*) [ "$second" = newconffile ] || echo "$second  $first" | md5sum --check --status 2>/dev/null || echo "$package $first" ;;
        ?*) package=$first ;;
    esac
done >changed
while read -r package path; do
    test -e "$path" || continue
    echo "$package" >>packages
    mkdir -p "$package/DEBIAN" "$package$(dirname "$path")" "before$(dirname "$path")"
    dpkg-query --status "$package" | sed -E '/^(Status|Conffiles):/d; /^ \//d; s/^(Version: .*)/\1+newer/' \
        >"$package/DEBIAN/control"
    echo "$path" >>"$package/DEBIAN/conffiles"
    { cat "$path" && echo '# newer'; } >"$package$path"
    cp "$path" "before$path"
done <changed
sort -u packages >names
while read -r package; do dpkg-deb --build "$package" >/dev/null; done <names
status=0
# shellcheck disable=SC2046  # names of packages have no blanks
DEBIAN_FRONTEND=noninteractive dpkg --install $(sed 's|.*|./&.deb|' names) >log 2>&1 </dev/null || status=$?
fact "exit code of the upgrade" "0" "$status"
if [ "$status" != 0 ]; then tail -n 5 log >&2; fi
fact "configuration files that an upgrade changed" "" \
    "$(cd before && find . -type f | while read -r path; do cmp -s "$path" "/$path" || echo "${path#.}"; done | paste -sd ' ')"
fact "whether the image has changed any" "yes" "$(test -s names && echo yes)"
verdict "upgrades keep $(find before -type f | wc -l) changed configuration files"

# The indexes are fetched anew, and every installed package is held against the versions that its archive's
# security pockets offer: neither a hold, nor a pin, nor a phased update hides one. Where nothing is looked up
# nothing is found, so an image without those indexes fails. $1 is a regular expression for the suites.
security=$1
indexes=$(apt-get indextargets --format '$(IDENTIFIER) $(RELEASE)' | grep '^Packages ' | cut -d' ' -f2 | sort -u)
pockets=$(echo "$indexes" | grep -c -e "$security" || true)
if [ "$pockets" = 0 ]; then
    echo "package indexes: expected one of a suite like $security, found $(echo ${indexes:-none})" >&2
    exit 1
fi

dpkg-query --show --showformat '${db:Status-Status} ${Package} ${Version}\n' | sed -n 's/^installed //p' >installed
# Each line: PACKAGE | VERSION | ADDRESS SUITE/COMPONENT ARCHITECTURE Packages
cut -d' ' -f1 installed | xargs apt-cache madison | grep ' Packages$' | tr -d '|' >offered || true
cut -d' ' -f1 installed | sort -u >names
awk '{ print $1 }' offered | sort -u | comm -23 names - >unknown
fact "installed packages that no index offers" "" "$(echo $(cat unknown))"

awk -v security="$security" '{ sub("/.*", "", $4) } $4 ~ security { print $1, $2 }' offered | sort -u | while read -r package version; do
    have=$(awk -v package="$package" '$1 == package { print $2; exit }' installed)
    if dpkg --compare-versions "$have" lt "$version"; then
        echo "$package: expected $version, found $have" >&2
        : >pending
    fi
done
if [ -e pending ]; then wrong=1; fi
verdict "$(wc -l <names) packages, none behind the security archive (indexes: $pockets)"

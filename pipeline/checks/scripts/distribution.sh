fact "ID and VERSION_ID of /etc/os-release" "$1" "$(. /etc/os-release && echo "$ID-${VERSION_ID-}")"
verdict "$1"

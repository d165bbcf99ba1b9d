# $1 is what modules.sh prints in the build image.
cd "$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"
fact "modules that the build image has and this one lacks" "" \
    "$(echo "$1" | while read -r path; do test -e "$path" || echo "${path#./}"; done | head -n 10 | paste -sd ' ')"
verdict "$(echo "$1" | wc -l) modules, as in the build image"

# What consumers see, one value a line: section, name and value, with tabs between them. $1 lists the tools, $2 the
# paths. A version is its first two numbers, since updates within a release of a distribution change the others.
getent passwd | while IFS=: read -r name _ uid gid _ home shell; do
    printf 'accounts\t%s\t%s:%s %s %s\n' "$name" "$uid" "$gid" "$home" "$shell"
done
file=
for tool in $1; do
    if ! path=$(command -v "$tool"); then
        printf 'absent\t%s\t\n' "$tool"
        continue
    fi
    # pip takes more than a second, and pip3 is a link to it.
    if [ "$tool" != "${file##*/}3" ] || [ "$(readlink -f "$path")" != "$file" ]; then
        version=$("$tool" --version 2>&1 </dev/null | grep -oE '[0-9]+\.[0-9]+' | head -n 1) || true
    fi
    file=$(readlink -f "$path" || true)
    printf 'tools\t%s\t%s\n' "$tool" "${version:-present}"
done
if command -v python3 >/dev/null; then
    python3 -B -c '
import sys
from importlib.metadata import distributions
print("python", "version", "%d.%d" % sys.version_info[:2], sep="\t")
for found in distributions():
    print("python", found.metadata["Name"], "installed", sep="\t")'
fi
for path in $2; do
    if [ -e "$path" ]; then printf 'paths\t%s\t%s\n' "$path" "$(stat -L -c '%F %a %U:%G' "$path")"; fi
done
find / -xdev -type f -perm /6000 -printf 'privileged\t%p\t%m\n'
printf 'size\tmegabytes\t%s\n' "$(du --summarize --one-file-system --apparent-size --block-size=1MB / | cut -f1)"

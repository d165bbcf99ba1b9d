# What consumers see, one value a line: section, name and value, with tabs between them. $1 lists the tools, $2 the
# paths. A version is its first two numbers, since updates within a release of a distribution change the others.
getent passwd | while IFS=: read -r name _ uid gid _ home shell; do
    printf 'accounts\t%s\t%s:%s %s %s\n' "$name" "$uid" "$gid" "$home" "$shell"
done
for tool in $1; do
    if ! command -v "$tool" >/dev/null; then
        printf 'absent\t%s\t\n' "$tool"
        continue
    fi
    version=$("$tool" --version 2>&1 </dev/null | grep -oE '[0-9]+\.[0-9]+' | head -n 1) || true
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

size=$(du --summarize --one-file-system --apparent-size --block-size=1 / | cut -f1)
if [ "$size" -gt "$1" ]; then
    echo "size: expected at most $1 bytes, found $size" >&2
    exit 1
fi
echo "$size of $1 bytes"

# pip and apt ask what this machine's configuration names; uv does not read pip's. A lock that names another index has the
# last word, because uv would call it out of date.
index=$(pip config get global.index-url 2>/dev/null || true)
if [ -n "$index" ] && { [ ! -e uv.lock ] || grep -qF "registry = \"${index%/}" uv.lock; }; then
    export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX-$index}"
fi

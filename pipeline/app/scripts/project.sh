# $1 is the environment, $2 the project's name, $3 a directory for its wheel.
export VIRTUAL_ENV="$1"
uv build --quiet --wheel --out-dir "$3" .
# As from an index: an installed file would leave its path and time in the environment.
uv pip install --quiet --no-deps --no-index --find-links "$3" "$2"
rm -f "$1/.lock"
# uv notes there when the wheel was made.
find "$1" -path '*.dist-info/uv_cache.json' | while read -r path; do
    sed -i '/\/uv_cache\.json,/d' "${path%/*}/RECORD"
    rm "$path"
done

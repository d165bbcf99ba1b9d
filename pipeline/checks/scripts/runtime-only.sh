for tool in pip pip3 pipx poetry uv gcc g++ cc c++ cpp clang make ld as python3-config; do
    fact "$tool" "" "$(command -v "$tool" || true)"
done
for module in pip ensurepip; do
    fact "module $module" "absent" "$(python3 -B -c "import $module" 2>/dev/null && echo present || echo absent)"
done
fact "headers" "" "$(find /usr/include /usr/local/include -name '*.h' | head -n 5 | tr '\n' ' ')"
fact "the mark of a Python that pip may not change" "" "$(ls /usr/lib/python3*/EXTERNALLY-MANAGED 2>/dev/null)"
fact "python" "$(python3 --version)" "$(python --version 2>&1 || true)"
verdict "$(python3 --version), and nothing to build with"

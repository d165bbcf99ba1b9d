"""What another program is known not to restore, as narrow as it is."""

from typing import Any

Facts = dict[bytes, Any]


def umoci(expected: Facts) -> Facts:
    """Return what umoci can restore of a tree (trees.facts): no attribute without a value.

    A pax record without a value says to programs written in Go that there is none:
    https://github.com/golang/go src/archive/tar/reader.go, mergePAX.
    """
    return {
        path: fact if path == b"//links" else (*fact[:-1], {key: value for key, value in fact[-1].items() if value})
        for path, fact in expected.items()
    }


LIMITS = {"umoci": umoci}

"""The configuration of an image, as far as it is read: https://github.com/opencontainers/image-spec/blob/v1.1.0/config.md"""

from collections.abc import Mapping
from typing import Any

from pipeline.registry.address import DIGEST

_TEXTS = ("architecture", "author", "created", "os")


def require_configuration(document: Mapping[str, Any]) -> None:
    """Refuse a configuration whose members are of other types than the specification's.

    Raises:
        ValueError: one is; the text is a clause for an error's sentence.
    """
    for name in _TEXTS:
        if not isinstance(document.get(name, ""), str):
            raise ValueError(f"its {name} is not a text")
    labels = _object(_object(document, "config"), "Labels")
    if not all(isinstance(value, str) for value in labels.values()):
        raise ValueError("the value of a label is not a text")
    diff_ids = _object(document, "rootfs").get("diff_ids", [])
    if not isinstance(diff_ids, list) or not all(isinstance(one, str) and DIGEST.fullmatch(one) for one in diff_ids):
        raise ValueError("its diff_ids are not a list of digests")


def _object(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = document.get(name, {})
    if not isinstance(value, dict):
        raise ValueError(f"its {name} is not an object")
    return value

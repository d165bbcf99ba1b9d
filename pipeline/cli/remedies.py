"""How the user of this command line follows the advice of the embedded engine's errors, by their codes."""

from collections.abc import Mapping

_BASE_ARCHIVE = ", or give --base-archive"

#: Each code of what the user can correct, and what ends the engine's sentence; nothing where that says it all.
REMEDIES: Mapping[str, str] = {
    "ARCHIVE_INVALID": "",
    "BAD_INPUT": "",
    "DISK_FULL": "",
    "DOWNLOAD_FAILED": "",
    "HOST_MISSING": "",
    "IMAGE_UNKNOWN": "",
    "NOT_PERMITTED": "",
    "NOT_SERVED": ": `dagger call …`, or `--engine dagger`",
    "PUSH_FAILED": "",
    "REFERENCE_INVALID": "",
    "REGISTRY_FAILED": _BASE_ARCHIVE,
    "REGISTRY_REFUSED": "",
    "REGISTRY_UNREACHABLE": _BASE_ARCHIVE,
    "STAND_IN_IMPOSSIBLE": _BASE_ARCHIVE,
    "STORE_DAMAGED": "",
    "STORE_UNUSABLE": " with --store",
}


def with_remedy(sentence: str, code: str) -> str:
    """Return an error's sentence with the flag that helps.

    Args:
        sentence: the engine's; it ends with what to do.
        code: the engine's name for the error.
    """
    remedy = REMEDIES.get(code, "")
    return f"{sentence.removesuffix('.')}{remedy}." if remedy else sentence

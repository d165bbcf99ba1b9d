"""The kinds of signatures, and those that a final version needs."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import NoDecode

from pipeline.build.line_choice import parts_of
from pipeline.errors import SettingsError

COSIGN, NOTATION = "cosign", "notation"
KINDS = (COSIGN, NOTATION)
#: The options that make signatures, and those that accept them, by the kind.
SIGNED_BY: Mapping[str, str] = MappingProxyType(
    {COSIGN: "--key, --kms-key or --identity-token", NOTATION: "--notation-key and --notation-chain"}
)
ACCEPTED_BY: Mapping[str, str] = MappingProxyType(
    {COSIGN: "--key, or --identity and --issuer", NOTATION: "--notation-root and --notation-identity"}
)


def require_kinds(required: Sequence[str], given: Sequence[str]) -> None:
    """Refuse to sign a final version if a required kind of signature would be missing.

    Args:
        required: the setting.
        given: the kinds that this run makes.

    Raises:
        SettingsError: one is missing.
    """
    for kind in required:
        if kind not in given:
            raise SettingsError(
                f"A final version needs a signature of {kind} (the setting require_signatures); give {SIGNED_BY[kind]}."
            )


def _kinds(value: tuple[str, ...]) -> tuple[str, ...]:
    for kind in value:
        if kind not in KINDS:
            raise ValueError(f"The setting require_signatures names {kind!r}; the kinds are {', '.join(KINDS)}.")
    return tuple(dict.fromkeys(value))


#: Kinds of signatures, each once.
Kinds = Annotated[tuple[str, ...], NoDecode, BeforeValidator(parts_of), AfterValidator(_kinds)]

"""Removes secrets from a step's output as it arrives."""

import re
from collections.abc import Sequence

HIDDEN = b"***"


class Scrubber:
    """Replaces secrets in one stream by ***, in whatever pieces the stream arrives.

    Like Dagger (engine/engineutil/secret_scrub.go at v0.21.8), it replaces each secret with and without the white space
    around it.

    Args:
        secrets: the secrets to hide.
    """

    def __init__(self, secrets: Sequence[bytes]) -> None:
        hidden = {text for secret in secrets for text in (secret, secret.strip()) if text}
        self._secrets = sorted(hidden, key=len, reverse=True)
        self._any = re.compile(b"|".join(map(re.escape, self._secrets)) or b"(?!)")
        self._held = b""

    def feed(self, piece: bytes) -> bytes:
        """Return the text that can be shown so far; the possible beginning of a secret is held back."""
        text = self._held + piece
        limit = min((_begun(text, secret) for secret in self._secrets), default=len(text))
        return self._shown(text, limit)

    def end(self) -> bytes:
        """Return the text that was held back."""
        return self._shown(self._held, len(self._held))

    def _shown(self, text: bytes, limit: int) -> bytes:
        shown, at = [], 0
        for found in self._any.finditer(text):
            if found.start() >= limit:
                break
            shown += [text[at : found.start()], HIDDEN]
            at = found.end()
        limit = max(at, limit)
        self._held = text[limit:]
        return b"".join((*shown, text[at:limit]))


def _begun(text: bytes, secret: bytes) -> int:
    """Return the position of a secret that the end of a text cuts off; the text's length if there is none."""
    at = text.find(secret[:1], max(0, len(text) - len(secret) + 1))
    while at >= 0:
        if secret.startswith(text[at:]):
            return at
        at = text.find(secret[:1], at + 1)
    return len(text)

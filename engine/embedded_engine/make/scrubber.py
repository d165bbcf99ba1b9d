"""Secrets taken out of what a step prints, as it comes."""

import re
from collections.abc import Sequence

HIDDEN = b"***"


class Scrubber:
    """Replaces secrets in one stream by ***, in whatever pieces the stream comes.

    As Dagger's (engine/engineutil/secret_scrub.go at v0.21.8): each as it is, and without the white space around it.

    Args:
        secrets: what must not be seen.
    """

    def __init__(self, secrets: Sequence[bytes]) -> None:
        hidden = {text for secret in secrets for text in (secret, secret.strip()) if text}
        self._secrets = sorted(hidden, key=len, reverse=True)
        self._any = re.compile(b"|".join(map(re.escape, self._secrets)) or b"(?!)")
        self._held = b""

    def feed(self, piece: bytes) -> bytes:
        """Return what can be shown so far; what may become a secret is held back."""
        text = self._held + piece
        limit = min((_begun(text, secret) for secret in self._secrets), default=len(text))
        return self._shown(text, limit)

    def end(self) -> bytes:
        """Return what was held back."""
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
    """Return where a secret begins that the end of a text cuts off; its length where none does."""
    at = text.find(secret[:1], max(0, len(text) - len(secret) + 1))
    while at >= 0:
        if secret.startswith(text[at:]):
            return at
        at = text.find(secret[:1], at + 1)
    return len(text)

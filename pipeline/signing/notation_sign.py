"""Signs images with notation by digest, before any tag names them."""

import logging
import re
from dataclasses import dataclass, replace

import dagger

from pipeline.build.inputs import Build
from pipeline.errors import SigningError, VerificationError
from pipeline.registry.address import Reference
from pipeline.registry.manifest import IMAGE, digest_of
from pipeline.registry.registry import Registry
from pipeline.signing.notation import NOTATION, Notation, claim, explained, open_notation
from pipeline.signing.notation_signature import NotationWitness
from pipeline.signing.notation_signer import NotationSigner
from pipeline.signing.reach import file_of
from pipeline.signing.trust_store import NotationTrust, is_identity, trust_files
from pipeline.text_files import text_files

_TRIAL = "/tmp/trial"  # noqa: S108  in notation's container, and thrown away with it
_OWN = "own"
_SUBJECT = re.compile(r"^Subject: (.+)$", re.MULTILINE)
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class NotationSigning:
    """A signer whose key and certificates have been tried.

    Args:
        notation: notation with the signer's secrets, and a policy that accepts its signatures.
        signer: the key, its certificates, and the time stamp authority.
        trust: what accepts its signatures; None if its certificate names no country, state and organisation.
    """

    notation: Notation
    signer: NotationSigner
    trust: NotationTrust | None

    async def sign(self, reference: Reference) -> None:
        """Sign an image; one that the signer has signed under this name is left as it is.

        Args:
            reference: the image with its digest, in the registry that notation reaches.

        Raises:
            SigningError: notation failed, because of the key, the registry or the time stamp authority.
        """
        if await self._has_signed(reference):
            _log.info("%s: has its signature of notation", reference.name)
            return
        target = str(replace(reference, tag=""))
        # By the Referrers API, and by its tag only where the registry lacks it.
        options = ("--force-referrers-tag=false", *self.signer.arguments, *claim(reference))
        try:
            await self.notation.container.with_exec(self.notation.command("sign", *options, target)).sync()
        except dagger.ExecError as error:
            raise SigningError(
                f"notation could not sign {target} ({explained(error)}), so nothing was tagged; correct that and run "
                "the same command again."
            ) from error
        _log.info("%s: signed with notation", reference.name)

    async def _has_signed(self, reference: Reference) -> bool:
        if self.trust is None:
            return False
        try:
            await NotationWitness(self.notation, self.trust.identity).signature(reference)
        except VerificationError:
            return False
        return True


async def open_notation_signing(build: Build, registry: Registry, signer: NotationSigner) -> NotationSigning:
    """Sign something that is thrown away, so that a wrong key or chain is reported before anything is built.

    Args:
        build: provides the base and the tools.
        registry: the registry of the images.
        signer: the key, its certificates, and the time stamp authority.

    Raises:
        SettingsError: a file does not hold certificates.
        SigningError: the key, the chain or the time stamp authority cannot be used.
        ToolError: notation is missing, or its digest is wrong.
    """
    chain = await signer.certificates()
    notation = await open_notation(build, registry)
    own = {f"truststore/x509/ca/{_OWN}/{_OWN}.pem": chain[0], **signer.configuration}
    notation = replace(notation, container=signer.equip(notation.container))
    subject = await _tried(notation.configured(own), signer)
    if not is_identity(subject):
        return NotationSigning(notation.configured(own), signer, None)
    trust = NotationTrust(file_of("root.pem", chain[-1]), subject, signer.timestamp_root)
    return NotationSigning(notation.configured({**own, **await trust_files(trust, ["*"])}), signer, trust)


async def _tried(notation: Notation, signer: NotationSigner) -> str:
    """Sign a manifest in a directory, and return the subject of the signer's certificate."""
    layout, digest = _layout()
    container = notation.container.with_directory(_TRIAL, layout).with_env_variable("NOTATION_EXPERIMENTAL", "1")
    trial = [NOTATION, "sign", "--oci-layout", *signer.arguments, f"{_TRIAL}@{digest}"]
    shown = [NOTATION, "certificate", "show", "--type", "ca", "--store", _OWN, f"{_OWN}.pem"]
    try:
        found = _SUBJECT.search(await container.with_exec(trial).with_exec(shown).stdout())
    except dagger.ExecError as error:
        raise SigningError(
            f"The key of notation cannot be used ({explained(error)}); check --notation-key, --notation-chain (the "
            "key's own certificate first, the self-signed root last) and --timestamp-authority."
        ) from error
    return found[1] if found else ""


def _layout() -> tuple[dagger.Directory, str]:
    """Return a small image layout, and the digest of its manifest."""
    empty = b"{}"
    config = f'{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{digest_of(empty)}","size":{len(empty)}}}'
    manifest = f'{{"schemaVersion":2,"mediaType":"{IMAGE}","config":{config},"layers":[]}}'
    digest = digest_of(manifest.encode())
    entry = f'{{"mediaType":"{IMAGE}","digest":"{digest}","size":{len(manifest)}}}'
    files = {
        "oci-layout": '{"imageLayoutVersion":"1.0.0"}',
        "index.json": f'{{"schemaVersion":2,"manifests":[{entry}]}}',
        _blob(digest_of(empty)): empty.decode(),
        _blob(digest): manifest,
    }
    return text_files(files), digest


def _blob(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"

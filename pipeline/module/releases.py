"""The module's functions that have to do with registries; like all of them they hold no logic."""

from typing import Annotated, Any

import dagger
from dagger import Doc

from pipeline.build.inputs import Build
from pipeline.build.settings import moment
from pipeline.gates.definition import GateInputs
from pipeline.gates.scan.database import DatabaseOrder
from pipeline.module.fresh import fresh
from pipeline.module.gates import DatabaseDirectory, Mirror
from pipeline.release.login import Login
from pipeline.release.notes import release_notes
from pipeline.release.outdated import Question, outdated
from pipeline.release.promote import Side, promote
from pipeline.release.publish import Order, publish
from pipeline.release.release_report import Release, report_release
from pipeline.release.resign import parse_resigning
from pipeline.release.verify import verify
from pipeline.signing.signature import Trusted
from pipeline.signing.signer import Signer

Username = Annotated[str, Doc("Who logs in to the registry; by default nobody.")]
Password = Annotated[dagger.Secret | None, Doc("Password or token of that user, as in env://REGISTRY_PASSWORD.")]
Ca = Annotated[dagger.File | None, Doc("Certificate in PEM of a private CA that signed the registry's.")]
PlainHttp = Annotated[
    list[str] | None,
    Doc("Host, with its port, that may be spoken to without TLS; may be given again. This machine needs no word."),
]
TokenHost = Annotated[
    list[str] | None,
    Doc("Host, with its port, that gives tokens for the registry and may get the password; may be given again."),
]
StandIn = Annotated[bool, Doc("Take also what is built on a stand-in base.")]
Key = Annotated[dagger.Secret | None, Doc("Private key of cosign to sign with, as in file://cosign.key.")]
KeyPassword = Annotated[dagger.Secret | None, Doc("Password of that key, as in env://COSIGN_PASSWORD.")]
KmsKey = Annotated[str, Doc("Key in a KMS to sign with, as cosign names it: awskms:///alias/NAME, hashivault://NAME …")]
KmsEnvironment = Annotated[
    dagger.Secret | None, Doc("Lines NAME=value by which cosign logs in to the KMS, as in file://vault.env.")
]
IdentityToken = Annotated[
    dagger.Secret | None,
    Doc("Token of a GitLab job with the audience sigstore, to sign without a key, as in env://SIGSTORE_ID_TOKEN."),
]
Tlog = Annotated[bool, Doc("Enter signatures of the key into Sigstore's public log, which tells the images' names.")]


class ReleaseFunctions:
    """A part of the module's main object."""

    base_archive: dagger.File | None
    tools: dagger.Directory | None

    async def _build(self) -> Build:
        """Return the settings and the base of this call."""
        raise NotImplementedError

    def _given(self) -> dict[str, Any]:
        """Return the settings that were given as arguments of the constructor."""
        raise NotImplementedError

    @fresh
    async def publish(
        self,
        tag: Annotated[str, Doc("Version to publish, as in 1.2.3 or v1.2.3; it is set once and never moves.")],
        extra_tags: Annotated[
            list[str] | None,
            Doc("Tags beside it that do move: 1.2, 1, the day as 20260131, the commit, latest, or another name."),
        ] = None,
        to: Annotated[str, Doc("Registry to push to instead, as for staging; the images keep naming `registry`.")] = "",
        username: Username = "",
        password: Password = None,
        ca: Ca = None,
        plain_http: PlainHttp = None,
        token_host: TokenHost = None,
        key: Key = None,
        key_password: KeyPassword = None,
        kms_key: KmsKey = "",
        kms_environment: KmsEnvironment = None,
        identity_token: IdentityToken = None,
        tlog: Tlog = False,
        vulnerability_db: Mirror = "",
        vulnerability_db_directory: DatabaseDirectory = None,
        dry_run: Annotated[bool, Doc("Build, check and look at the registry, and push nothing.")] = False,
        allow_stand_in_base: StandIn = False,
    ) -> str:
        """Build and check all images, and publish all of them or none.

        Returns JSON: the reference of each image, NAME:TAG@sha256:…, as it was read back from the registry.
        Blobs and manifests are pushed first, under no tag; the tags are set last, together. What has been
        published under a version stays: the same content again changes nothing, another content is refused.
        With --tools the images are scanned, audited and described first, and published only when they pass.
        With a key every image is signed by its digest, and so is all that was found, before it gets a tag.
        """
        signer = Signer(key, key_password, kms_key, kms_environment, identity_token, tlog)
        database = DatabaseOrder(vulnerability_db, vulnerability_db_directory)
        order = Order(tag, tuple(extra_tags or ()), to, dry_run, allow_stand_in_base, signer, database)
        login = Login(username, password, ca, tuple(plain_http or ()), tuple(token_host or ()))
        return await publish(order, self._given(), self.base_archive, login, self.tools)

    @fresh
    async def promote(
        self,
        tag: Annotated[str, Doc("Version to promote, as in 1.2.3.")],
        from_: Annotated[str, Doc("Registry, with a path where there is one, that has the release.")],
        to: Annotated[str, Doc("Registry that gets it; the same one, to have the tags that move name it again.")],
        from_username: Username = "",
        from_password: Password = None,
        to_username: Username = "",
        to_password: Password = None,
        ca: Ca = None,
        plain_http: PlainHttp = None,
        token_host: TokenHost = None,
        key: Key = None,
        key_password: KeyPassword = None,
        kms_key: KmsKey = "",
        kms_environment: KmsEnvironment = None,
        identity_token: IdentityToken = None,
        tlog: Tlog = False,
        from_key: Annotated[
            dagger.File | None, Doc("Public key that the release is signed with by now; by default that of the key.")
        ] = None,
        from_identity: Annotated[str, Doc("Identity that it is signed by instead.")] = "",
        from_issuer: Annotated[str, Doc("Who vouches for that identity.")] = "",
        dry_run: Annotated[bool, Doc("Look at both registries, and push nothing.")] = False,
        allow_stand_in_base: StandIn = False,
    ) -> str:
        """Copy a release from one registry to another, all of it or nothing; the digests stay the same.

        Returns JSON: the reference of each image, NAME:TAG@sha256:…, as it was read back from the registry.
        Every image gets the tags that it names itself. Nothing is built, and a version that is there with another
        content is refused. With a key every image is signed again, because a signature names the repository; what was
        signed of it before is verified, and attested again.
        """
        resigning = parse_resigning(
            Signer(key, key_password, kms_key, kms_environment, identity_token, tlog),
            Trusted(from_key, from_identity, from_issuer, tlog),
            self._build,
        )
        source = Side(from_, Login(from_username, from_password, ca, tuple(plain_http or ()), tuple(token_host or ())))
        target = Side(to, Login(to_username, to_password, ca, tuple(plain_http or ()), tuple(token_host or ())))
        return await promote(
            tag, source, target, dry_run=dry_run, allow_stand_in_base=allow_stand_in_base, resigning=resigning
        )

    @fresh
    async def verify(
        self,
        reference: Annotated[str, Doc("Image to verify, as in HOST/ska-python:1.2.3 or HOST/ska-python@sha256:….")],
        username: Username = "",
        password: Password = None,
        ca: Ca = None,
        plain_http: PlainHttp = None,
        token_host: TokenHost = None,
        key: Annotated[dagger.File | None, Doc("Public key whose signatures count, in PEM.")] = None,
        identity: Annotated[
            str, Doc("Identity whose signatures count, as its certificate names it: a CI file with its ref.")
        ] = "",
        issuer: Annotated[str, Doc("Who vouches for that identity, as in https://gitlab.com.")] = "",
        tlog: Annotated[bool, Doc("Take signatures of the key only if they are in Sigstore's public log.")] = False,
        allow_stand_in_base: StandIn = False,
    ) -> str:
        """Verify that an image is of a release of this pipeline: its labels, metadata, tags, parents and base.

        Returns JSON: the image's reference with its digest, and each fact with whether it was verified and what was
        found. The call fails when a fact does not hold, and for a final version also when a fact could not be verified,
        as without a key. Nothing is built. With a key or an identity, cosign verifies the signature and every
        attestation in a container, and what they state is compared with the image.
        """
        login = Login(username, password, ca, tuple(plain_http or ()), tuple(token_host or ()))
        trusted = Trusted(key, identity, issuer, tlog)
        return await verify(
            reference, login, allow_stand_in_base=allow_stand_in_base, trusted=trusted, build=self._build
        )

    @fresh
    async def outdated(
        self,
        tag: Annotated[str, Doc("Version to look at; by default the newest release of the registry.")] = "",
        max_age: Annotated[int, Doc("Days after which an image should be built again.")] = 30,
        exit_code: Annotated[int, Doc("Exit code when there is a reason to build again; 0 to report only.")] = 10,
        username: Username = "",
        password: Password = None,
        ca: Ca = None,
        plain_http: PlainHttp = None,
        token_host: TokenHost = None,
    ) -> str:
        """Tell which published images should be built again, and why; nothing is built.

        Looks for security updates in the images themselves, at the tag of their base, and at their age. Returns JSON:
        the reasons of each image, its packages with a newer version, and what could not be looked at. Where there
        is a reason the call ends with the exit code, and the JSON is its standard output.
        """
        login = Login(username, password, ca, tuple(plain_http or ()), tuple(token_host or ()))
        return await outdated(Question(tag, max_age, exit_code), self._given(), login)

    @fresh
    async def release_notes(
        self,
        from_: Annotated[str, Doc("Version to compare with, as in 1.2.2.")],
        to: Annotated[str, Doc("Version that is described, as in 1.2.3.")],
        format_: Annotated[str, Doc("How it is written: markdown or json.")] = "markdown",
        username: Username = "",
        password: Password = None,
        ca: Ca = None,
        plain_http: PlainHttp = None,
        token_host: TokenHost = None,
    ) -> str:
        """Describe what is new in a release: packages that came, went or changed in each of its images.

        Packages of the distribution, and those of Python that pip installed, are read from the images in the registry.
        """
        login = Login(username, password, ca, tuple(plain_http or ()), tuple(token_host or ()))
        return await release_notes(from_, to, format_, self._given(), login)

    @fresh
    async def report_release(
        self,
        tag: Annotated[str, Doc("Version to report on, as in 1.2.3.")],
        vulnerability_db: Mirror = "",
        vulnerability_db_directory: DatabaseDirectory = None,
        username: Username = "",
        password: Password = None,
        ca: Ca = None,
        plain_http: PlainHttp = None,
        token_host: TokenHost = None,
    ) -> dagger.Directory:
        """Check, audit and scan the images of a release as they are in the registry, and report what was found.

        Returns the same directory as `report`. Nothing is built but what the tools run in.
        """
        database = DatabaseOrder(vulnerability_db, vulnerability_db_directory)
        release = Release(tag, Login(username, password, ca, tuple(plain_http or ()), tuple(token_host or ())))
        return await report_release(release, GateInputs(await self._build(), moment, database))

"""The module's functions that read or write registries; they hold no logic."""

from functools import partial
from typing import Annotated

import dagger
from dagger import Doc

from pipeline.build.settings import Settings, moment
from pipeline.gates.definition import GateInputs
from pipeline.module.fresh import fresh
from pipeline.module.parameters import (
    Account,
    Connection,
    Database,
    DatabaseFlags,
    NotationSignedBy,
    NotationTrusted,
    NotationTrustedBefore,
    SignedBy,
    SourceAccount,
    StandIn,
    TargetAccount,
    TrustedBy,
)
from pipeline.module.part import Part
from pipeline.release.notes import Comparison, release_notes
from pipeline.release.outdated import Question, outdated
from pipeline.release.promote import Side, promote
from pipeline.release.publish import Order, publish
from pipeline.release.release_report import Release, report_release
from pipeline.release.resign import parse_resigning
from pipeline.release.stale import Survey, stale
from pipeline.release.verify import verify
from pipeline.signing.signature import Trusted


class ReleaseFunctions(Part):
    """Publishing, promoting and verifying."""

    @fresh
    async def publish(
        self,
        tag: Annotated[str, Doc("Version to publish, as in 1.2.3 or v1.2.3; it is set once and never moves.")],
        extra_tags: Annotated[
            list[str] | None,
            Doc("Further tags, which move: 1.2, 1, the day as 20260131, the commit, latest, or another name."),
        ] = None,
        to: Annotated[str, Doc("Registry to push to instead, as for staging; the images keep naming `registry`.")] = "",
        *,
        account: Account,
        connection: Connection,
        signed_by: SignedBy,
        notation_signed_by: NotationSignedBy,
        database: Database,
        dry_run: Annotated[bool, Doc("Build, check and look at the registry, and push nothing.")] = False,
        allow_stand_in_base: StandIn = False,
        allow_end_of_life: Annotated[
            bool, Doc("Accept lines whose distribution no longer gets security updates.")
        ] = False,
    ) -> str:
        """Build and check all images, and publish all of them or none.

        Returns JSON: the reference of each image, NAME:TAG@sha256:…, as read back from the registry.
        Blobs and manifests are pushed first, without a tag; the tags are set last, together. A published version never
        changes: publishing the same content again does nothing, and different content is refused.
        With --tools the images are scanned, audited and described first, and published only when they pass.
        With a key every image and its attestations are signed by digest before the image gets a tag; with a key of
        notation, every image is signed with notation as well.
        """
        order = Order(
            tag,
            tuple(extra_tags or ()),
            to,
            dry_run,
            allow_stand_in_base,
            allow_end_of_life,
            signed_by.signer,
            notation_signed_by.signer,
            database.order,
        )
        login = connection.login(account)
        return await publish(order, self._given(), self.base_archive, login, self.tools)

    @fresh
    async def promote(
        self,
        tag: Annotated[str, Doc("Version to promote, as in 1.2.3.")],
        from_: Annotated[str, Doc("Registry, with a path where there is one, that holds the release.")],
        to: Annotated[
            str, Doc("Registry that receives it; the same one, to point its moving tags at this release again.")
        ],
        from_account: SourceAccount,
        to_account: TargetAccount,
        connection: Connection,
        signed_by: SignedBy,
        notation_signed_by: NotationSignedBy,
        notation_trusted: NotationTrustedBefore,
        from_key: Annotated[
            dagger.File | None,
            Doc("Public key that verifies the release's present signatures; by default that of the key."),
        ] = None,
        from_identity: Annotated[str, Doc("Identity that signed the release, instead of a key.")] = "",
        from_issuer: Annotated[str, Doc("Issuer that vouches for that identity.")] = "",
        dry_run: Annotated[bool, Doc("Look at both registries, and push nothing.")] = False,
        allow_stand_in_base: StandIn = False,
    ) -> str:
        """Copy lines of a release from one registry to another as a whole, or nothing; the digests stay the same.

        Returns JSON: the reference of each image, NAME:TAG@sha256:…, as read back from the registry.
        Every image gets the tags that its labels name. Nothing is built. A version that the target holds with different
        content is refused. With a key every image is signed again, because a signature names the repository; its
        signature and attestations are verified first, and attested again.
        """
        resigning = parse_resigning(
            signed_by.signer,
            Trusted(from_key, from_identity, from_issuer, signed_by.tlog),
            self._build,
            notation_signed_by.signer,
            notation_trusted.trust,
        )
        source = Side(from_, connection.login(from_account))
        target = Side(to, connection.login(to_account))
        settings = Settings(**self._given())
        return await promote(
            tag,
            settings.lines,
            source,
            target,
            dry_run=dry_run,
            allow_stand_in_base=allow_stand_in_base,
            resigning=resigning,
            required=settings.require_signatures,
        )

    @fresh
    async def verify(
        self,
        reference: Annotated[str, Doc("Image to verify, as in HOST/ska-python:1.2.3 or HOST/ska-python@sha256:….")],
        account: Account,
        connection: Connection,
        trusted_by: TrustedBy,
        notation_trusted: NotationTrusted,
        allow_stand_in_base: StandIn = False,
    ) -> str:
        """Verify that an image belongs to a release of this pipeline: its labels, metadata, tags, parents and base.

        Returns JSON: the image's reference with its digest, each fact with its outcome and what was found, and a
        warning from 180 days before its distribution gets no more security updates.
        The call fails when a fact does not hold, and for a final version also when a fact could not be verified, as
        without a key. Nothing is built. With a key or an identity, cosign verifies the signature and every
        attestation in a container, and their statements are compared with the image. With a root and an identity,
        notation verifies its own signature; with both, an image needs both.
        """
        login = connection.login(account)
        return await verify(
            reference,
            login,
            allow_stand_in_base=allow_stand_in_base,
            trusted=trusted_by.trusted,
            build=self._build,
            now=moment(),
            notation=notation_trusted.trust,
            required=Settings(**self._given()).require_signatures,
        )

    @fresh
    async def outdated(
        self,
        tag: Annotated[str, Doc("Version to examine; by default the newest release in the registry.")] = "",
        max_age: Annotated[int, Doc("Age in days after which an image should be rebuilt.")] = 30,
        exit_code: Annotated[int, Doc("Exit code when there is a reason to rebuild; 0 to report only.")] = 10,
        *,
        account: Account,
        connection: Connection,
    ) -> str:
        """List the published images that should be rebuilt, and why; nothing is built.

        Examines the security updates of the images' packages, the tag of their base, and their age. Returns JSON: the
        reasons for each image, its packages with a newer version, what could not be examined, and a warning from 180
        days before a line gets no more security updates. If there is a reason, the call ends with the exit code, and
        the JSON is its standard output.
        """
        login = connection.login(account)
        return await outdated(Question(tag, max_age, exit_code), self._given(), login)

    @fresh
    async def stale(
        self,
        reference: Annotated[
            list[str] | None, Doc("Image to examine, as in HOST/my-project:1.2.3; may be given again.")
        ] = None,
        file: Annotated[dagger.File | None, Doc("File of further images, one a line.")] = None,
        below: Annotated[
            str, Doc("HOST/PATH whose repositories are examined, each by its newest version or `latest`.")
        ] = "",
        max_age: Annotated[int, Doc("Age in days from which the release that an image stands on is too old.")] = 30,
        scan: Annotated[bool, Doc("Scan the releases with Trivy, and list the vulnerabilities that would go.")] = False,
        exit_code: Annotated[int, Doc("Exit code when an image is stale; 0 to report only.")] = 10,
        *,
        database: Database,
        account: Account,
        connection: Connection,
    ) -> str:
        """List images that stand on an old release of these images, and what the newest one would bring them.

        Finds the release by the layers of an image, so that it needs no label. Returns JSON: for each image the
        release, its age, the packages that differ in the newest release, and a warning from 180 days before its line
        gets no more security updates. Images that do not stand on these are `foreign`. If an image is stale, the call
        ends with the exit code, and the JSON is its standard output.
        """
        survey = Survey(tuple(reference or ()), file, below, max_age, scan, exit_code)
        login = connection.login(account)
        return await stale(survey, self._given(), login, partial(self._inputs, database))

    async def _inputs(self, database: DatabaseFlags) -> GateInputs:
        return GateInputs(await self._build(), moment, database.order)

    @fresh
    async def release_notes(
        self,
        to: Annotated[str, Doc("Version to describe, as in 1.2.3.")],
        from_: Annotated[
            str, Doc("Version to compare with, as in 1.2.2; by default the newest final version before it.")
        ] = "",
        format_: Annotated[str, Doc("Format of the notes: markdown or json.")] = "markdown",
        in_: Annotated[str, Doc("Registry to read instead, as for staging; the notes keep naming `registry`.")] = "",
        *,
        account: Account,
        connection: Connection,
        trusted_by: TrustedBy,
    ) -> str:
        """Describe what is new in a release, for each line and image: contract, vulnerabilities and packages.

        The distribution's packages, the Python packages that pip installed, and the contract are read from the images
        in the registry. With a key or an identity, the signed scans of both releases are compared, too.
        """
        comparison = Comparison(from_, to, format_, in_)
        login = connection.login(account)
        return await release_notes(comparison, self._given(), login, trusted_by.trusted, self._build)

    @fresh
    async def report_release(
        self,
        tag: Annotated[str, Doc("Version to report on, as in 1.2.3.")],
        database: Database,
        account: Account,
        connection: Connection,
    ) -> dagger.Directory:
        """Check, audit and scan the images of a release in the registry, and report the results.

        Returns the same directory as `report`. Only the tools' own containers are built.
        """
        release = Release(tag, connection.login(account))
        return await report_release(release, GateInputs(await self._build(), moment, database.order))

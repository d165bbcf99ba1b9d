"""The module's functions that establish trust in images; they hold no logic."""

from typing import Annotated

import dagger
from dagger import Doc, check

from pipeline.build.settings import moment
from pipeline.evidence.provenance import provenance_directory
from pipeline.gates import AUDIT, SBOM, SCAN
from pipeline.gates.audit.gate_audit import record_audit
from pipeline.gates.definition import GateInputs
from pipeline.gates.hold import files_of, hold, table
from pipeline.gates.sbom.gate_sbom import DIRECTORY
from pipeline.module.fresh import fresh
from pipeline.module.parameters import Account, Connection, Database, NotationTrusted
from pipeline.module.part import Part
from pipeline.release.contract_changes import Earlier, report_since
from pipeline.signing.policy import policy_directory


class TrustFunctions(Part):
    """The gates, and the evidence that they leave."""

    @fresh
    async def policy(
        self,
        key: Annotated[
            dagger.File | None, Doc("Public key that verifies the images' signatures, in PEM: cosign.pub.")
        ] = None,
        *,
        notation_trusted: NotationTrusted,
    ) -> dagger.Directory:
        """Write policies that accept only signed images of the registry; nothing is built.

        Returns a directory. With a key of cosign it has policy.json and registries.d for podman and skopeo,
        kyverno.yaml and policy-controller.yaml for Kubernetes, and the key. With a root and an identity it has
        notation's own trust policy and trust store, and kyverno-notation.yaml and ratify.yaml for Kubernetes.
        """
        return await policy_directory(key, self._given(), notation_trusted.trust)

    @check
    @fresh
    async def sbom(
        self,
        image: Annotated[list[str] | None, Doc("Image to describe; may be given again. By default all.")] = None,
    ) -> dagger.Directory:
        """Build images and list all of their packages, in CycloneDX and SPDX.

        Returns a directory with NAME.cdx.json and NAME.spdx.json for each image. The call fails
        when an SBOM and its image's own package databases list different packages.
        """
        results = await hold([SBOM], image or (), GateInputs(await self._build(), moment))
        return files_of(results).directory(DIRECTORY)

    @fresh
    async def provenance(
        self,
        image: Annotated[list[str] | None, Doc("Image to describe; may be given again. By default all.")] = None,
    ) -> dagger.Directory:
        """Build images and describe their origin: SLSA provenance in an in-toto statement.

        Returns a directory with NAME.provenance.json for each image. It is not signed; `publish` signs.
        """
        return await provenance_directory(image or (), moment(), await self._build(), moment)

    @check
    @fresh
    async def audit(
        self,
        image: Annotated[list[str] | None, Doc("Image to audit; may be given again. By default all.")] = None,
    ) -> str:
        """Audit images by the CIS benchmark with OpenSCAP, and return how many rules each passes.

        The call fails when a rule fails that does not fail in the committed baseline, or when a rule that passed there
        is no longer applied. No program of the images runs.
        """
        return table(await hold([AUDIT], image or (), GateInputs(await self._build(), moment)))

    @fresh
    async def audit_baseline(self) -> str:
        """Audit all images and return the result as a baseline, in JSON, even if rules fail.

        Commit it to pipeline/data/baselines once the failures are understood.
        """
        return await record_audit(await self._build())

    @check
    @fresh
    async def scan(
        self,
        image: Annotated[list[str] | None, Doc("Image to scan; may be given again. By default all.")] = None,
        *,
        database: Database,
    ) -> str:
        """Build images, scan them for known vulnerabilities with Trivy, and return the findings.

        A critical vulnerability fails the call, and so does a high one that has a fix, unless an OpenVEX statement in
        pipeline/data/vex exempts it. A pending security update fails it too. All results are shown either way.
        """
        return table(await hold([SCAN], image or (), GateInputs(await self._build(), moment, database.order)))

    @fresh
    async def report(
        self,
        image: Annotated[list[str] | None, Doc("Image to report on; may be given again. By default all.")] = None,
        since: Annotated[
            str, Doc("Version in the registry whose contracts are compared, as in 1.2.2; by default none.")
        ] = "",
        *,
        database: Database,
        account: Account,
        connection: Connection,
    ) -> dagger.Directory:
        """Build, check, audit and scan images, and report the results, good or bad.

        Returns a directory with report.html, a self-contained page, the same data in report.json, the SBOMs, and
        gl-container-scanning-report.json for GitLab.
        """
        earlier = Earlier(since, connection.login(account))
        return await report_since(image or (), GateInputs(await self._build(), moment, database.order), earlier)

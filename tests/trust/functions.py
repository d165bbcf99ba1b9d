"""The module's functions by which images are trusted, as they should be registered."""

from tests.registered import FRESH, Argument, Function

DATABASE = {
    "vulnerability_db": Argument(
        "String!",
        '""',
        "Mirror of Trivy's database, as in registry.example/trivy-db:2; by default Trivy's own.",
    ),
    "vulnerability_db_directory": Argument(
        "Directory", "null", "Directory of trivy.db and metadata.json, used instead of pulling them."
    ),
}

TRUST_FUNCTIONS = {
    "sbom": Function(
        "Directory!",
        FRESH,
        True,
        "Build images and list all of their packages, in CycloneDX and in SPDX.\n\n"
        "Returns a directory with NAME.cdx.json and NAME.spdx.json for each image. An SBOM that lists other packages\n"
        "than its image says to hold fails the call.",
        {"image": Argument("[String!]", "null", "Image to describe; may be given again. By default all.")},
    ),
    "provenance": Function(
        "Directory!",
        FRESH,
        False,
        "Build images and state from what, how and where: SLSA provenance in an in-toto statement.\n\n"
        "Returns a directory with NAME.provenance.json for each image. It is not signed; `publish` signs.",
        {"image": Argument("[String!]", "null", "Image to state it of; may be given again. By default all.")},
    ),
    "scan": Function(
        "String!",
        FRESH,
        True,
        "Build images, look for known vulnerabilities in them with Trivy, and return what was found.\n\n"
        "A critical vulnerability fails the call, and so does a high one that has a fix, unless an OpenVEX statement\n"
        "in pipeline/data/vex excepts it; so does a security update that is pending. All results are shown then.",
        {
            "image": Argument("[String!]", "null", "Image to scan; may be given again. By default all."),
            **DATABASE,
        },
    ),
    "report": Function(
        "Directory!",
        FRESH,
        False,
        "Build images, check, audit and scan them, and report what was found, whether it is good or not.\n\n"
        "Returns a directory with report.html, a page whole in itself, the same as report.json, the SBOMs, and\n"
        "gl-container-scanning-report.json for GitLab.",
        {
            "image": Argument("[String!]", "null", "Image to report on; may be given again. By default all."),
            **DATABASE,
        },
    ),
    "policy": Function(
        "Directory!",
        FRESH,
        False,
        "Write policies that take the images of the registry only when they are signed; nothing is built.\n\n"
        "Returns a directory with policy.json and registries.d for podman and skopeo, kyverno.yaml and\n"
        "policy-controller.yaml for Kubernetes, and the key.",
        {"key": Argument("File!", None, "Public key that the images are signed with, in PEM: cosign.pub.")},
    ),
}

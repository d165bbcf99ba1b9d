"""The module's functions that have to do with registries, as they should be registered."""

from tests.registered import FRESH, Argument, Function

LOGIN = {
    "username": Argument("String!", '""', "Who logs in to the registry; by default nobody."),
    "password": Argument("Secret", "null", "Password or token of that user, as in env://REGISTRY_PASSWORD."),
    "ca": Argument("File", "null", "Certificate in PEM of a private CA that signed the registry's."),
    "plain_http": Argument(
        "[String!]",
        "null",
        "Host, with its port, that may be spoken to without TLS; may be given again. This machine needs no word.",
    ),
}

STAND_IN = Argument("Boolean!", "false", "Take also what is built on a stand-in base.")
USERNAME, PASSWORD = LOGIN["username"], LOGIN["password"]

RELEASE_FUNCTIONS = {
    "publish": Function(
        "String!",
        FRESH,
        False,
        "Build and check all images, and publish all of them or none.\n\n"
        "Returns JSON: the reference of each image, NAME:TAG@sha256:…, as it was read back from the registry.\n"
        "Blobs and manifests are pushed first, under no tag; the tags are set last, together. What has been\n"
        "published under a version stays: the same content again changes nothing, another content is refused.",
        {
            "tag": Argument(
                "String!", None, "Version to publish, as in 1.2.3 or v1.2.3; it is set once and never moves."
            ),
            "extra_tags": Argument(
                "[String!]",
                "null",
                "Tags beside it that do move: 1.2, 1, the day as 20260131, the commit, latest, or another name.",
            ),
            "to": Argument(
                "String!", '""', "Registry to push to instead, as for staging; the images keep naming `registry`."
            ),
            **LOGIN,
            "dry_run": Argument("Boolean!", "false", "Build, check and look at the registry, and push nothing."),
            "allow_stand_in_base": STAND_IN,
        },
    ),
    "promote": Function(
        "String!",
        FRESH,
        False,
        "Copy a release from one registry to another, all of it or nothing; the digests stay the same.\n\n"
        "Returns JSON: the reference of each image, NAME:TAG@sha256:…, as it was read back from the registry.\n"
        "Every image gets the tags that it names itself. Nothing is built, and a version that is there with another\n"
        "content is refused.",
        {
            "tag": Argument("String!", None, "Version to promote, as in 1.2.3."),
            "from": Argument("String!", None, "Registry, with a path where there is one, that has the release."),
            "to": Argument(
                "String!", None, "Registry that gets it; the same one, to have the tags that move name it again."
            ),
            "from_username": USERNAME,
            "from_password": PASSWORD,
            "to_username": USERNAME,
            "to_password": PASSWORD,
            "ca": LOGIN["ca"],
            "plain_http": LOGIN["plain_http"],
            "dry_run": Argument("Boolean!", "false", "Look at both registries, and push nothing."),
            "allow_stand_in_base": STAND_IN,
        },
    ),
    "verify": Function(
        "String!",
        FRESH,
        False,
        "Verify that an image is of a release of this pipeline: its labels, metadata, tags, parents and base.\n\n"
        "Returns JSON: the image's reference with its digest, and each fact with whether it was verified and what was\n"
        "found. The call fails when a fact does not hold. Nothing is built, and no container is started.",
        {
            "reference": Argument(
                "String!", None, "Image to verify, as in HOST/ska-python:1.2.3 or HOST/ska-python@sha256:…."
            ),
            **LOGIN,
            "allow_stand_in_base": STAND_IN,
        },
    ),
    "outdated": Function(
        "String!",
        FRESH,
        False,
        "Tell which published images should be built again, and why; nothing is built.\n\n"
        "Looks for security updates in the images themselves, at the tag of their base, and at their age. "
        "Returns JSON:\n"
        "the reasons of each image, its packages with a newer version, and what could not be looked at. Where there\n"
        "is a reason the call ends with the exit code, and the JSON is its standard output.",
        {
            "tag": Argument("String!", '""', "Version to look at; by default the newest release of the registry."),
            "max_age": Argument("Integer!", "30", "Days after which an image should be built again."),
            "exit_code": Argument(
                "Integer!", "10", "Exit code when there is a reason to build again; 0 to report only."
            ),
            **LOGIN,
        },
    ),
    "release_notes": Function(
        "String!",
        FRESH,
        False,
        "Describe what is new in a release: packages that came, went or changed in each of its images.\n\n"
        "Packages of the distribution, and those of Python that pip installed, are read from the images in the "
        "registry.",
        {
            "from": Argument("String!", None, "Version to compare with, as in 1.2.2."),
            "to": Argument("String!", None, "Version that is described, as in 1.2.3."),
            "format": Argument("String!", '"markdown"', "How it is written: markdown or json."),
            **LOGIN,
        },
    ),
}

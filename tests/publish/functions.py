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
            "allow_stand_in_base": Argument("Boolean!", "false", "Publish images that are built on a stand-in base."),
        },
    ),
}

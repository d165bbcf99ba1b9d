"""The module's functions that have to do with registries, as they should be registered."""

from tests.registered import FRESH, Argument, Function
from tests.trust.functions import DATABASE

LOGIN = {
    "username": Argument("String!", '""', "Who logs in to the registry; by default nobody."),
    "password": Argument("Secret", "null", "Password or token of that user, as in env://REGISTRY_PASSWORD."),
    "ca": Argument("File", "null", "Certificate in PEM of a private CA that signed the registry's."),
    "plain_http": Argument(
        "[String!]",
        "null",
        "Host, with its port, that may be spoken to without TLS; may be given again. This machine needs no word.",
    ),
    "token_host": Argument(
        "[String!]",
        "null",
        "Host, with its port, that gives tokens for the registry and may get the password; may be given again.",
    ),
}

STAND_IN = {"allow_stand_in_base": Argument("Boolean!", "false", "Take also what is built on a stand-in base.")}

SIGNER = {
    "key": Argument("Secret", "null", "Private key of cosign to sign with, as in file://cosign.key."),
    "key_password": Argument("Secret", "null", "Password of that key, as in env://COSIGN_PASSWORD."),
    "kms_key": Argument(
        "String!", '""', "Key in a KMS to sign with, as cosign names it: awskms:///alias/NAME, hashivault://NAME …"
    ),
    "kms_environment": Argument(
        "Secret", "null", "Lines NAME=value by which cosign logs in to the KMS, as in file://vault.env."
    ),
    "identity_token": Argument(
        "Secret",
        "null",
        "Token of a GitLab job with the audience sigstore, to sign without a key, as in env://SIGSTORE_ID_TOKEN.",
    ),
    "tlog": Argument(
        "Boolean!", "false", "Enter signatures of the key into Sigstore's public log, which tells the images' names."
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
        "published under a version stays: the same content again changes nothing, another content is refused.\n"
        "With --tools the images are scanned, audited and described first, and published only when they pass.\n"
        "With a key every image is signed by its digest, and so is all that was found, before it gets a tag.",
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
            **SIGNER,
            **DATABASE,
            "dry_run": Argument("Boolean!", "false", "Build, check and look at the registry, and push nothing."),
            **STAND_IN,
        },
    ),
    "promote": Function(
        "String!",
        FRESH,
        False,
        "Copy a release from one registry to another, all of it or nothing; the digests stay the same.\n\n"
        "Returns JSON: the reference of each image, NAME:TAG@sha256:…, as it was read back from the registry.\n"
        "Every image gets the tags that it names itself. Nothing is built, and a version that is there with another\n"
        "content is refused. With a key every image is signed again, because a signature names the repository; "
        "what was\n"
        "signed of it before is verified, and attested again.",
        {
            "tag": Argument("String!", None, "Version to promote, as in 1.2.3."),
            "from": Argument("String!", None, "Registry, with a path where there is one, that has the release."),
            "to": Argument(
                "String!",
                None,
                "Registry that gets it; the same one, to have the tags that move name it again.",
            ),
            "from_username": LOGIN["username"],
            "from_password": LOGIN["password"],
            "to_username": LOGIN["username"],
            "to_password": LOGIN["password"],
            "ca": LOGIN["ca"],
            "plain_http": LOGIN["plain_http"],
            "token_host": LOGIN["token_host"],
            **SIGNER,
            "from_key": Argument(
                "File", "null", "Public key that the release is signed with by now; by default that of the key."
            ),
            "from_identity": Argument("String!", '""', "Identity that it is signed by instead."),
            "from_issuer": Argument("String!", '""', "Who vouches for that identity."),
            "dry_run": Argument("Boolean!", "false", "Look at both registries, and push nothing."),
            **STAND_IN,
        },
    ),
    "verify": Function(
        "String!",
        FRESH,
        False,
        "Verify that an image is of a release of this pipeline: its labels, metadata, tags, parents and base.\n\n"
        "Returns JSON: the image's reference with its digest, and each fact with whether it was verified and what was\n"
        "found. The call fails when a fact does not hold, and for a final version also when a fact could not be "
        "verified,\n"
        "as without a key. Nothing is built. With a key or an identity, cosign verifies the signature and every\n"
        "attestation in a container, and what they state is compared with the image.",
        {
            "reference": Argument(
                "String!", None, "Image to verify, as in HOST/ska-python:1.2.3 or HOST/ska-python@sha256:…."
            ),
            **LOGIN,
            "key": Argument("File", "null", "Public key whose signatures count, in PEM."),
            "identity": Argument(
                "String!",
                '""',
                "Identity whose signatures count, as its certificate names it: a CI file with its ref.",
            ),
            "issuer": Argument("String!", '""', "Who vouches for that identity, as in https://gitlab.com."),
            "tlog": Argument(
                "Boolean!", "false", "Take signatures of the key only if they are in Sigstore's public log."
            ),
            **STAND_IN,
        },
    ),
    "outdated": Function(
        "String!",
        FRESH,
        False,
        "Tell which published images should be built again, and why; nothing is built.\n\n"
        "Looks for security updates in the images themselves, at the tag of their base, and at their age. "
        "Returns JSON:\n"
        "the reasons of each image, its packages with a newer version, and what could not be examined. Where there\n"
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
    "report_release": Function(
        "Directory!",
        FRESH,
        False,
        "Check, audit and scan the images of a release as they are in the registry, and report what was found.\n\n"
        "Returns the same directory as `report`. Nothing is built but what the tools run in.",
        {
            "tag": Argument("String!", None, "Version to report on, as in 1.2.3."),
            **DATABASE,
            **LOGIN,
        },
    ),
}

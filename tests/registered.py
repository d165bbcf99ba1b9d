"""The module as Dagger's SDK should register it: each function with its type, its cache policy and its arguments."""

from dataclasses import dataclass, field

FRESH = "Never"
KEPT = ""


@dataclass(frozen=True)
class Argument:
    """One argument as registered; the default is JSON, None where there is none."""

    type: str
    default: str | None
    description: str = field(default="", compare=False)


@dataclass(frozen=True)
class Function:
    """One function as registered."""

    returns: str
    cache: str
    is_check: bool
    arguments: dict[str, Argument]
    description: str = field(default="", compare=False)


@dataclass(frozen=True)
class Registered:
    """The module as registered."""

    description: str
    object: str
    object_description: str
    constructor: Function
    functions: dict[str, Function]


TRUSTED = {
    "key": Argument("File", "null"),
    "identity": Argument("String!", '""'),
    "issuer": Argument("String!", '""'),
    "tlog": Argument("Boolean!", "false"),
}
LOGIN = {
    "username": Argument("String!", '""'),
    "password": Argument("Secret", "null"),
    "ca": Argument("File", "null"),
    "plain_http": Argument("[String!]", "null"),
    "token_host": Argument("[String!]", "null"),
}
STAND_IN = {"allow_stand_in_base": Argument("Boolean!", "false")}
SIGNER = {
    "key": Argument("Secret", "null"),
    "key_password": Argument("Secret", "null"),
    "kms_key": Argument("String!", '""'),
    "kms_environment": Argument("Secret", "null"),
    "identity_token": Argument("Secret", "null"),
    "tlog": Argument("Boolean!", "false"),
}
NOTATION_SIGNER = {
    "notation_key": Argument("Secret", "null"),
    "notation_chain": Argument("File", "null"),
    "timestamp_authority": Argument("String!", '""'),
    "timestamp_root": Argument("File", "null"),
}
NOTATION_TRUST = {
    "notation_root": Argument("File", "null"),
    "notation_identity": Argument("String!", '""'),
    "timestamp_root": Argument("File", "null"),
}
DATABASE = {"vulnerability_db": Argument("String!", '""'), "vulnerability_db_directory": Argument("Directory", "null")}
IMAGE = {"image": Argument("String!", None)}
IMAGES = {"image": Argument("[String!]", "null")}
CONSTRUCTOR = {
    "line": Argument("[String!]", None),
    "base": Argument("[String!]", None),
    "base_archive": Argument("File", "null"),
    "version": Argument("String!", '""'),
    "created": Argument("String!", '""'),
    "snapshot": Argument("String!", '""'),
    "team": Argument("String!", '""'),
    "url": Argument("String!", '""'),
    "source": Argument("String!", '""'),
    "registry": Argument("String!", '""'),
    "tools": Argument("Directory", "null"),
    "label": Argument("[String!]", None),
}
APP = {
    "source": Argument("Directory!", None),
    **{name: Argument("String!", '""') for name in ("lock", "entrypoint", "test")},
    **{name: Argument("[String!]", "null") for name in ("apt", "build_apt")},
    "netrc": Argument("Secret", "null"),
    "release": Argument("String!", '""'),
    **TRUSTED,
    **NOTATION_TRUST,
    **STAND_IN,
    **LOGIN,
}
FUNCTIONS = {
    "build_all": Function("Directory!", FRESH, False, {}),
    "build": Function("Container!", FRESH, False, IMAGE),
    "ska_base": Function("Container!", FRESH, False, {}),
    "ska_build": Function("Container!", FRESH, False, {}),
    "ska_build_python": Function("Container!", FRESH, False, {}),
    "ska_python": Function("Container!", FRESH, False, {}),
    "check": Function("String!", FRESH, True, IMAGES),
    "metadata": Function("String!", FRESH, False, IMAGE),
    "images": Function("String!", KEPT, False, {}),
    "publish": Function(
        "String!",
        FRESH,
        False,
        {
            "tag": Argument("String!", None),
            "extra_tags": Argument("[String!]", "null"),
            "to": Argument("String!", '""'),
            **LOGIN,
            **SIGNER,
            **NOTATION_SIGNER,
            **DATABASE,
            "dry_run": Argument("Boolean!", "false"),
            **STAND_IN,
            "allow_end_of_life": Argument("Boolean!", "false"),
        },
    ),
    "promote": Function(
        "String!",
        FRESH,
        False,
        {
            "tag": Argument("String!", None),
            "from": Argument("String!", None),
            "to": Argument("String!", None),
            "from_username": LOGIN["username"],
            "from_password": LOGIN["password"],
            "to_username": LOGIN["username"],
            "to_password": LOGIN["password"],
            "ca": LOGIN["ca"],
            "plain_http": LOGIN["plain_http"],
            "token_host": LOGIN["token_host"],
            **SIGNER,
            **NOTATION_SIGNER,
            **{f"from_{name}": argument for name, argument in NOTATION_TRUST.items()},
            "from_key": Argument("File", "null"),
            "from_identity": Argument("String!", '""'),
            "from_issuer": Argument("String!", '""'),
            "dry_run": Argument("Boolean!", "false"),
            **STAND_IN,
        },
    ),
    "verify": Function(
        "String!",
        FRESH,
        False,
        {
            "reference": Argument("String!", None),
            **LOGIN,
            **TRUSTED,
            **NOTATION_TRUST,
            **STAND_IN,
        },
    ),
    "outdated": Function(
        "String!",
        FRESH,
        False,
        {
            "tag": Argument("String!", '""'),
            "max_age": Argument("Integer!", "30"),
            "exit_code": Argument("Integer!", "10"),
            **LOGIN,
        },
    ),
    "release_notes": Function(
        "String!",
        FRESH,
        False,
        {
            "to": Argument("String!", None),
            "from": Argument("String!", '""'),
            "format": Argument("String!", '"markdown"'),
            "in": Argument("String!", '""'),
            **LOGIN,
            **TRUSTED,
        },
    ),
    "report_release": Function("Directory!", FRESH, False, {"tag": Argument("String!", None), **DATABASE, **LOGIN}),
    "sbom": Function("Directory!", FRESH, True, IMAGES),
    "provenance": Function("Directory!", FRESH, False, IMAGES),
    "scan": Function("String!", FRESH, True, {**IMAGES, **DATABASE}),
    "report": Function("Directory!", FRESH, False, {**IMAGES, "since": Argument("String!", '""'), **DATABASE, **LOGIN}),
    "policy": Function("Directory!", FRESH, False, {"key": Argument("File", "null"), **NOTATION_TRUST}),
    "stale": Function(
        "String!",
        FRESH,
        False,
        {
            "reference": Argument("[String!]", "null"),
            "file": Argument("File", "null"),
            "below": Argument("String!", '""'),
            "max_age": Argument("Integer!", "30"),
            "scan": Argument("Boolean!", "false"),
            "exit_code": Argument("Integer!", "10"),
            **DATABASE,
            **LOGIN,
        },
    ),
    "build_app": Function("Container!", FRESH, False, APP),
    "report_app": Function("Directory!", FRESH, False, {**APP, "with": Argument("[String!]", "null"), **DATABASE}),
    "audit": Function("String!", FRESH, True, IMAGES),
    "audit_baseline": Function("String!", FRESH, False, {}),
    "contracts": Function("Directory!", FRESH, False, {}),
}

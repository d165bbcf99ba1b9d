"""The errors of the engine, as a tree.

EngineError                 INTERNAL: a defect of the engine
├── UserError               the user can correct it
│   ├── ArchiveInvalid      ARCHIVE_INVALID
│   ├── BadInput            BAD_INPUT
│   ├── DiskFull            DISK_FULL
│   ├── DownloadFailed      DOWNLOAD_FAILED
│   ├── HostMissing         HOST_MISSING: a program or a kernel feature
│   ├── ImageUnknown        IMAGE_UNKNOWN
│   ├── NotPermitted        NOT_PERMITTED
│   ├── NotServed           NOT_SERVED: Dagger's engine serves it, this one does not
│   ├── PushFailed          PUSH_FAILED: the registry did not take an image
│   ├── ReferenceInvalid    REFERENCE_INVALID
│   ├── RegistryFailed      REGISTRY_FAILED: it answered with neither the image nor a refusal
│   ├── RegistryRefused     REGISTRY_REFUSED
│   ├── RegistryUnreachable REGISTRY_UNREACHABLE
│   ├── StandInImpossible   STAND_IN_IMPOSSIBLE: no base can be bootstrapped on this machine
│   ├── StoreDamaged        STORE_DAMAGED: files of the store were changed or lost
│   └── StoreUnusable       STORE_UNUSABLE: another directory is needed
├── CommandFailed           a host program failed unexpectedly
└── ExecError               a step of a container failed: Dagger's EXEC_ERROR
"""

from typing import Any, ClassVar

from embedded_engine.host.credentials import without_logins


class EngineError(Exception):
    """An error whose text is one sentence for the user; `code` is its name for programs.

    With the code, a program that starts the engine can add how its own user follows the advice.
    """

    code: ClassVar[str] = "INTERNAL"

    def extensions(self) -> dict[str, Any]:
        """Return the `extensions` of the GraphQL error."""
        return {"_type": "ENGINE_ERROR", "code": self.code}


class UserError(EngineError):
    """An error that the user can correct."""


class ArchiveInvalid(UserError):
    """An archive is damaged, of an unknown kind, or has paths outside its root."""

    code = "ARCHIVE_INVALID"


class BadInput(UserError):
    """An argument of an API call is not valid."""

    code = "BAD_INPUT"


class DiskFull(UserError):
    """The store or the destination has no space left."""

    code = "DISK_FULL"


class DownloadFailed(UserError):
    """A file could not be fetched over HTTP."""

    code = "DOWNLOAD_FAILED"


class HostMissing(UserError):
    """The host lacks a program or a kernel feature."""

    code = "HOST_MISSING"


class ImageUnknown(UserError):
    """The registry answered that it has no such image."""

    code = "IMAGE_UNKNOWN"


class NotPermitted(UserError):
    """The host does not let this user mount or start containers."""

    code = "NOT_PERMITTED"


class NotServed(UserError):
    """A field or an argument of Dagger's API that only Dagger's own engine serves."""

    code = "NOT_SERVED"

    def __init__(self, what: str) -> None:
        super().__init__(f"The embedded engine does not serve {what}; run this on Dagger's engine.")


class PushFailed(UserError):
    """The registry does not answer, or answered a push with neither success nor a refusal."""

    code = "PUSH_FAILED"


class ReferenceInvalid(UserError):
    """An image reference is malformed."""

    code = "REFERENCE_INVALID"


class RegistryFailed(UserError):
    """The registry, or something in its place, answered with neither the image nor a refusal."""

    code = "REGISTRY_FAILED"


class RegistryRefused(UserError):
    """The registry answered that this client may not have the image."""

    code = "REGISTRY_REFUSED"


class RegistryUnreachable(UserError):
    """The registry does not answer."""

    code = "REGISTRY_UNREACHABLE"


class StandInImpossible(UserError):
    """This machine cannot bootstrap the requested base."""

    code = "STAND_IN_IMPOSSIBLE"


class StoreDamaged(UserError):
    """Files of the store were changed or lost, and cannot be made again in this session."""

    code = "STORE_DAMAGED"


class StoreUnusable(UserError):
    """This user or this version cannot use the directory of the store."""

    code = "STORE_UNUSABLE"


class CommandFailed(EngineError):
    """A host program ended with an error.

    Args:
        argv: the command, without secrets, since none is ever an argument.
        returncode: the exit status, negative for a signal.
        stderr: the end of its standard error.
    """

    def __init__(self, argv: list[str], returncode: int, stderr: str) -> None:
        output = without_logins(stderr.strip()[-2000:]) or "it printed nothing"
        super().__init__(f"`{argv[0]}` ended with {returncode}: {output}")
        self.argv, self.returncode, self.stderr = argv, returncode, stderr


class ExecError(EngineError):
    """A step ended with an exit code that its `expect` does not allow.

    The message and the extensions are those of Dagger's core/exec_error.go at v0.21.8.
    """

    def __init__(self, args: tuple[str, ...], exit_code: int, stdout: str, stderr: str) -> None:
        super().__init__(f"exit code: {exit_code}")
        self.args_, self.exit_code, self.stdout, self.stderr = args, exit_code, stdout, stderr

    def extensions(self) -> dict[str, Any]:
        """Return the fields that dagger.ExecError reads."""
        return {
            "_type": "EXEC_ERROR",
            "cmd": list(self.args_),
            "exitCode": self.exit_code,
            "stdout": self.stdout.strip(),
            "stderr": self.stderr.strip(),
        }

"""Isolates the steps of a session from the host: networks, system calls and keyrings."""

import os
from collections.abc import Sequence
from typing import Any

from embedded_engine.host import syscalls
from embedded_engine.host.relay import Service
from embedded_engine.make.bundle import capabilities_of
from embedded_engine.make.network import StepNetworks
from embedded_engine.make.seccomp import for_privileged_steps, for_steps, read_profile, this_kernel


class Confinement:
    """The confinement of all steps of a session.

    Args:
        services: the services on the host's loopback interface that every step can reach.

    Raises:
        HostMissing: this machine has no seccomp profile.
    """

    def __init__(self, services: Sequence[Service]) -> None:
        self._profile = for_steps(read_profile(), capabilities_of(False), os.uname().machine, this_kernel())
        self.networks = StepNetworks(services)
        #: Whether steps can have their own session keyrings; the engine itself has left the user's keyring.
        self.keyring = syscalls.own_session_keyring()

    def seccomp(self, *, privileged: bool) -> dict[str, Any]:
        """Return the system calls that a step may make."""
        return for_privileged_steps() if privileged else self._profile

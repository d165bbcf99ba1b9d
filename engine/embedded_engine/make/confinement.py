"""What keeps the steps of a session apart from the host: networks, system calls and keyrings."""

import os
from collections.abc import Sequence
from typing import Any

from embedded_engine.host import syscalls
from embedded_engine.host.relay import Service
from embedded_engine.make.bundle import capabilities_of
from embedded_engine.make.network import StepNetworks
from embedded_engine.make.seccomp import for_privileged_steps, for_steps, read_profile, this_kernel


class Confinement:
    """What all steps of a session are confined by.

    Args:
        services: of the host's loopback, which every step reaches.

    Raises:
        HostMissing: this machine has no profile of system calls.
    """

    def __init__(self, services: Sequence[Service]) -> None:
        self._profile = for_steps(read_profile(), capabilities_of(False), os.uname().machine, this_kernel())
        self.networks = StepNetworks(services)
        #: Whether steps can have session keyrings of their own; the engine itself leaves the user's behind.
        self.keyring = syscalls.own_session_keyring()

    def seccomp(self, *, privileged: bool) -> dict[str, Any]:
        """Return the system calls that a step may make."""
        return for_privileged_steps() if privileged else self._profile

"""The profile of system calls, from the form of Docker's to that of OCI."""

import json
from pathlib import Path
from typing import Any

import pytest
from embedded_engine.host.errors import HostMissing
from embedded_engine.make.bundle import capabilities_of
from embedded_engine.make.seccomp import PACKAGE, WITHHELD, for_privileged_steps, for_steps, read_profile

ALLOW, ERRNO = "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO"


def _profile(*rules: dict[str, Any]) -> dict[str, Any]:
    architectures = [
        {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]},
        {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]},
    ]
    return {"defaultAction": ERRNO, "defaultErrnoRet": 38, "archMap": architectures, "syscalls": list(rules)}


def _allowed(
    profile: dict[str, Any], *capabilities: str, machine: str = "x86_64", kernel: tuple[int, int] = (6, 1)
) -> set[str]:
    made = for_steps(profile, capabilities, machine, kernel)
    return {name for rule in made["syscalls"] if rule["action"] == ALLOW for name in rule["names"]}


def _rule(name: str, **conditions: dict[str, Any]) -> dict[str, Any]:
    return {"names": [name], "action": ALLOW, "args": None, **conditions}


@pytest.mark.parametrize(
    ("condition", "capabilities", "holds"),
    [
        ({}, (), True),
        ({"includes": {"caps": ["CAP_A"]}}, (), False),
        ({"includes": {"caps": ["CAP_A"]}}, ("CAP_A",), True),
        ({"includes": {"caps": ["CAP_A", "CAP_B"]}}, ("CAP_A",), False),
        ({"excludes": {"caps": ["CAP_A"]}}, (), True),
        ({"excludes": {"caps": ["CAP_A"]}}, ("CAP_A",), False),
        ({"includes": {"arches": ["amd64", "x32"]}}, (), True),
        ({"includes": {"arches": ["arm64"]}}, (), False),
        ({"excludes": {"arches": ["amd64"]}}, (), False),
        ({"includes": {"minKernel": "4.8"}}, (), True),
        ({"includes": {"minKernel": "6.10"}}, (), False),
        ({"includes": {}, "excludes": {}}, (), True),
    ],
)
def test_a_rule_counts_where_its_conditions_hold(
    condition: dict[str, Any], capabilities: tuple[str, ...], holds: bool
) -> None:
    assert ("stat" in _allowed(_profile(_rule("stat", **condition)), *capabilities)) is holds


def test_the_errors_and_arguments_of_a_rule_are_kept() -> None:
    rule = {"names": ["x"], "action": ERRNO, "errnoRet": 22, "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]}
    made = for_steps(_profile(rule), (), "x86_64", (6, 1))
    assert made["syscalls"][0] == rule
    assert (made["defaultAction"], made["defaultErrnoRet"]) == (ERRNO, 38)


@pytest.mark.parametrize(
    ("machine", "architectures"),
    [("x86_64", ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"]), ("aarch64", ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"])],
)
def test_a_machine_s_calls_are_filtered_in_each_of_its_modes(machine: str, architectures: list[str]) -> None:
    assert for_steps(_profile(), (), machine, (6, 1))["architectures"] == architectures


def test_a_machine_of_which_nothing_is_known_is_refused() -> None:
    with pytest.raises(HostMissing, match="does not cover sparc64 machines"):
        for_steps(_profile(), (), "sparc64", (6, 1))


def test_what_docker_withholds_is_withheld_whatever_the_profile_allows() -> None:
    allowed = _allowed(_profile(*(_rule(name) for name in WITHHELD)))
    assert allowed == {"clone", "socket"}  # these in part, by their arguments


def test_the_profile_of_this_machine_allows_what_programs_need_and_no_more() -> None:
    allowed = _allowed(read_profile(), *capabilities_of(False))
    assert {"read", "execve", "clone", "socket", "chroot", "chown", "ptrace"} <= allowed
    assert not allowed & {"keyctl", "add_key", "request_key", "bpf", "mount", "unshare", "setns", "perf_event_open"}
    assert not allowed & {"io_uring_setup", "userfaultfd", "open_by_handle_at", "init_module", "kexec_load", "clone3"}


def test_a_privileged_step_may_do_all_but_use_the_users_keys() -> None:
    profile = for_privileged_steps()
    assert profile["defaultAction"] == ALLOW
    assert [name for rule in profile["syscalls"] for name in rule["names"]] == ["add_key", "keyctl", "request_key"]


@pytest.mark.parametrize(
    "content", [None, "", "{}", json.dumps(_profile()), json.dumps({**_profile(_rule("stat")), "defaultAction": ALLOW})]
)
def test_without_a_profile_that_denies_what_it_does_not_name_nothing_runs(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "seccomp.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(HostMissing, match=f"install it: apt-get install --reinstall {PACKAGE}"):
        read_profile(path)

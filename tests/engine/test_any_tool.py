"""What a container saw is what umoci, skopeo with GNU tar, and the engine itself restore from the layers of its image.

`pytest --hypothesis-profile=long tests/engine/test_any_tool.py` tries many more plans than the pipeline does.
"""

import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import SCRATCH
from tests.engine.cases import ALL, CASES, ROOT, directory_of
from tests.engine.changes import Change
from tests.engine.plans import Plan, plans
from tests.engine.restore import RESTORERS
from tests.engine.tampering import TAMPERING
from tests.engine.trees import CAPABILITY
from tests.engine.workshop import Differences, Workshop
from tests.ordinary_user import OrdinaryUser

EPOCH = 1_700_000_000
TOOLS = list(RESTORERS)
AGREED: dict[str, list[object]] = {tool: [] for tool in TOOLS}


def a_part(share: int) -> settings:
    """Return settings for examples that make mounts and start programs: one of so many that others get."""
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(max_examples=settings().max_examples // share, deadline=None, suppress_health_check=slow)


@pytest.fixture(scope="session")
def callers_workshop() -> Iterator[Workshop]:
    """Where whoever runs the tests carries plans out."""
    directory = Path(tempfile.mkdtemp(prefix="ska-images-workshop-", dir=SCRATCH))
    workshop = Workshop([], directory)
    yield workshop
    workshop.close()
    shutil.rmtree(directory)


@pytest.fixture(scope="session")
def users_workshop(user: OrdinaryUser) -> Iterator[Workshop]:
    """Where an ordinary user does."""
    workshop = Workshop(user.words(), user.home)
    yield workshop
    workshop.close()


@pytest.fixture(params=["caller", "user"], scope="session")
def workshop(request: pytest.FixtureRequest) -> Workshop:
    """Either of them."""
    made: Workshop = request.getfixturevalue(f"{request.param}s_workshop")
    return made


@pytest.fixture(scope="session")
def traps(workshop: Workshop) -> dict[str, Differences]:
    """All known traps, restored at once."""
    return workshop.restored(ALL, epoch=EPOCH, tools=TOOLS)


@pytest.mark.parametrize("case", CASES)
def test_a_known_trap_is_restored_as_the_container_saw_it(traps: dict[str, Differences], case: str) -> None:
    below = directory_of(case) + b"/"
    assert {tool: [each for each in found if each[0].startswith(below)] for tool, found in traps.items()} == AGREED


def test_nothing_else_is_restored(traps: dict[str, Differences]) -> None:
    assert traps == AGREED


def test_the_root_directory_itself_is_restored(workshop: Workshop) -> None:
    assert workshop.restored(ROOT, epoch=EPOCH, tools=TOOLS) == AGREED


@a_part(2)
@given(plan=plans(), epoch=st.sampled_from([EPOCH, None]))
def test_whatever_steps_do_is_restored_as_they_saw_it(workshop: Workshop, plan: Plan, epoch: int | None) -> None:
    assert workshop.restored(plan, epoch=epoch, tools=TOOLS) == AGREED


@a_part(4)
@given(plan=plans())
def test_layers_are_the_same_bytes_in_another_store(workshop: Workshop, plan: Plan) -> None:
    assert workshop.digests(plan, epoch=EPOCH) == workshop.digests(plan, epoch=EPOCH)


def _for_users(change: Change) -> bool:
    """Return whether an ordinary user can make this change too: user_namespaces(7)."""
    if "mknod" in change or any(isinstance(each, int) and each > 65535 for each in change if "chown" in change):
        return False
    return not any(isinstance(each, str) and each.startswith(("trusted.", "security.d")) for each in change)


@a_part(4)
@given(plan=plans().map(lambda plan: [[change for change in layer if _for_users(change)] for layer in plan]))
def test_an_ordinary_user_gets_the_layers_of_root(
    callers_workshop: Workshop, users_workshop: Workshop, plan: Plan
) -> None:
    assert users_workshop.digests(plan, epoch=EPOCH) == callers_workshop.digests(plan, epoch=EPOCH)


#: Something of each kind that can be got wrong.
RICH: Plan = [
    [("mkdir", b"d", 0o755), ("write", b"d/old", b"1"), ("write", b"gone", b"2"), ("chmod", b"d/old", 0o4755)],
    [("replace", "mkdir", b"d", 0o755), ("write", b"d/f", b"3"), ("link", b"l", b"d/f"), ("remove", b"gone")],
    [("write", b"p", b"4"), ("setxattr", b"p", "security.capability", CAPABILITY), ("symlink", b"s", b"l")],
    [("mknod", b"n", stat.S_IFCHR | 0o666, 1, 3)],
]


@pytest.mark.parametrize("how", TAMPERING)
def test_a_wrong_layer_is_seen_whatever_restores_it(callers_workshop: Workshop, how: str) -> None:
    seen = callers_workshop.restored(RICH, epoch=EPOCH, tools=TOOLS, tamper=how)
    assert [tool for tool, found in seen.items() if found] == TOOLS


def test_what_umoci_cannot_restore_is_still_beyond_it(workshop: Workshop) -> None:
    plan: Plan = [[("write", b"f", b""), ("setxattr", b"f", "user.empty", b"")]]
    (found,) = workshop.restored(plan, epoch=EPOCH, tools=["umoci"], limits=False).values()
    assert [path for path, _, _ in found] == [b"f"]

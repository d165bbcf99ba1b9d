"""When the command line builds on a stand-in base: only where nothing answers, and in a CI job only if told to."""

from pathlib import Path

import pytest

from tests.cli.test_run import cli
from tests.registry import free_address
from tests.registry_that_answers import RATE_LIMIT, answering

pytestmark = pytest.mark.slow

IMAGE = "team/ubuntu@sha256:" + "a" * 64
WORDS = ("metadata", "--image", "ska-base")
IN_CI = "a CI job uses a stand-in base only if told to: set --base bootstrap:auto or SKA_BASE=bootstrap:auto.\n"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_registry_that_answers_something_else_brings_no_stand_in(status: int, store: Path) -> None:
    with answering(status, headers={"Retry-After": "60"}, document=RATE_LIMIT) as host:
        run = cli("--store", store, *WORDS, SKA_BASE=f"{host}/{IMAGE}")
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith(f"Error: The registry {host} did not give '{host}/{IMAGE}' (")
    assert str(status) in run.stderr
    assert len(run.stderr.splitlines()) == 1
    assert run.stderr.endswith(", or give --base-archive.\n")


def test_a_registry_that_gives_no_answer_brings_a_stand_in_and_a_warning(store: Path) -> None:
    run = cli("--store", store, *WORDS, SKA_BASE=f"{free_address()}/{IMAGE}")
    assert run.returncode == 0, run.stderr
    assert "STAND-IN BASE" in run.stderr
    assert 'int.skao.image.baseImage="bootstrap:' in run.stdout


def test_in_a_ci_job_it_is_one_sentence_instead(store: Path) -> None:
    run = cli("--store", store, *WORDS, SKA_BASE=f"{free_address()}/{IMAGE}", CI="true")
    assert (run.returncode, run.stdout) == (2, "")
    assert len(run.stderr.splitlines()) == 1
    assert run.stderr.endswith(f"or give --base-archive; {IN_CI}")


@pytest.mark.parametrize(
    ("words", "variables"), [(("--base=bootstrap:auto",), {}), ((), {"SKA_BASE": "bootstrap:auto"})]
)
def test_in_a_ci_job_a_stand_in_is_made_on_demand(
    words: tuple[str, ...], variables: dict[str, str], store: Path
) -> None:
    run = cli("--store", store, *words, *WORDS, CI="true", **variables)
    assert run.returncode == 0, run.stderr
    assert 'int.skao.image.baseImage="bootstrap:' in run.stdout

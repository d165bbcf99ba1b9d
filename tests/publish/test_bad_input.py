"""What cannot be published is refused in one sentence with the remedy, and nothing is pushed."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from dagger import dag
from embedded_engine.session import Session

from pipeline.build import assembly
from pipeline.build.assembly import Archive
from pipeline.build.settings import Settings
from pipeline.catalogue.lines import find_line
from pipeline.checks import Check, Subject
from pipeline.checks.base_checks import SECURITY_UPDATES
from pipeline.checks.check import CheckFailure
from pipeline.checks.distribution import DISTRIBUTIONS
from pipeline.errors import GateError, RegistryError, ReleaseError, SettingsError, UserError
from pipeline.gates.audit.audited import without_profile
from pipeline.release import publish as module
from pipeline.release.login import Login
from pipeline.release.publish import Order, publish
from tests.built_images import built_image
from tests.conftest import Built
from tests.publish.certificates import Signed, sign
from tests.publish.conftest import Running
from tests.publish.test_login import HTPASSWD, PASSWORD, USER, tls
from tests.registry import running
from tests.trust.databases import NOT_HERE, order_of
from tests.trust.databases import make as make_database

ORDER = Order("1.2.3-rc.1", allow_stand_in_base=True)
STAND_IN = "bootstrap:auto"


async def refusal(
    registry: str, order: Order = ORDER, login: Login | None = None, tools: Path | None = None, **given: Any
) -> UserError:
    """Publish, and return the error, which the user can fix."""
    directory = dag.host().directory(str(tools)) if tools else None
    with pytest.raises(UserError) as caught:
        await publish(order, {"registry": registry, "base": STAND_IN, **given}, None, login or Login(), directory)
    assert caught.value.exit_code == 2
    return caught.value


@pytest.mark.parametrize(
    ("order", "sentence"),
    [
        (replace(ORDER, tag="latest"), "The tag 'latest' is not a version; give --tag as 1.2.3"),
        (replace(ORDER, tag="1.2"), "The tag '1.2' is not a version"),
        (replace(ORDER, extra_tags=("latest",)), "The extra tag 'latest' is for final versions"),
        (replace(ORDER, to="https://host.example"), "The registry 'https://host.example' has a scheme"),
        (replace(ORDER, to="team/images"), "The registry 'team/images' does not begin with a host"),
        (replace(ORDER, to="host.example/../x"), "The path '../x' of the registry"),
        (replace(ORDER, allow_stand_in_base=False), "The base bootstrap:auto is a stand-in of this machine"),
        (replace(ORDER, tag="1.2.3"), "CHANGELOG.md has no section about 1.2.3"),
        (replace(ORDER, tag="0.1.0"), "The heading of 0.1.0 in CHANGELOG.md has 'unreleased'"),
    ],
    ids=lambda value: value.tag if isinstance(value, Order) else value[:40],
)
async def test_what_makes_no_release_is_refused(server: Running, path: str, order: Order, sentence: str) -> None:
    error = await refusal(f"{server.host}/{path}", order)
    assert str(error).startswith(sentence)
    assert "\n" not in str(error)
    assert server.repositories(path) == set()


@pytest.mark.parametrize("registry", ["team/images", "https://host.example", "host.example/../x"])
async def test_a_registry_of_the_settings_is_refused_likewise(registry: str) -> None:
    assert isinstance(await refusal(registry), SettingsError)


@pytest.mark.parametrize("login", [Login(username="somebody")])
async def test_half_a_login_is_refused(server: Running, path: str, login: Login) -> None:
    assert "needs both --username NAME and --password" in str(await refusal(f"{server.host}/{path}", login=login))


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Signed:
    """A certificate of a private CA."""
    return sign(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def guarded(signed: Signed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A registry with TLS that requires a login."""
    directory = tmp_path_factory.mktemp("guarded")
    (directory / "htpasswd").write_text(HTPASSWD)
    with running(directory, f"auth: {{htpasswd: {{realm: test, path: {directory}/htpasswd}}}}\n", tls(signed)) as host:
        yield Running(host, directory / "blobs")


async def test_a_login_is_asked_for_before_anything_is_built(
    engine: Session, guarded: Running, signed: Signed, events: list[Any]
) -> None:
    steps = len(events)
    error = await refusal(guarded.host, login=Login(ca=dag.host().file(str(signed.ca))))
    assert "requires a login for ska-base (401: UNAUTHORIZED authentication required); give --username NAME" in str(
        error
    )
    assert not [event for event in events[steps:] if event["event"] == "step" and "ska-" in event["name"]]
    assert guarded.repositories("") == set()


async def test_a_wrong_password_is_refused_before_anything_is_built(
    engine: Session, guarded: Running, signed: Signed
) -> None:
    wrong = dag.set_secret("wrong-password", "wrong")
    error = await refusal(guarded.host, login=Login(USER, wrong, dag.host().file(str(signed.ca))))
    assert str(error).startswith(f"The registry {guarded.host} refuses the login of the user '{USER}' (401: ")
    assert guarded.repositories("") == set()


async def test_an_unknown_certificate_is_refused(guarded: Running) -> None:
    error = await refusal(guarded.host)
    assert "is not trusted" in str(error)
    assert str(error).endswith("give its CA with --ca FILE.")


async def test_a_ca_that_is_no_certificate_is_refused(engine: Session, guarded: Running, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    error = await refusal(guarded.host, login=Login(ca=dag.host().file(str(tmp_path / "ca.pem"))))
    assert str(error) == "The file of --ca does not hold a certificate; give the CA's certificate in PEM."


async def test_plain_http_without_consent_is_refused(server: Running, path: str) -> None:
    host = server.host.replace("127.0.0.1", "0.0.0.0")
    error = await refusal(f"{host}/{path}")
    assert str(error).endswith(f"enable TLS, or give --plain-http {host}.")
    assert server.repositories(path) == set()


async def test_a_check_that_fails_stops_everything(
    engine: Session,
    built: Built,
    tools: Path,
    server: Running,
    path: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def find(subject: Subject, step: str) -> str:
        if subject.image == "ska-python":
            raise CheckFailure("sabotage")
        return ""

    monkeypatch.setattr(assembly, "checks_of", lambda image: (SECURITY_UPDATES, Check("sabotaged", "a fact", find)))
    # The images of the session, which nothing has to be built for.
    monkeypatch.setattr(module, "require_section", lambda *_: None)
    given = {"created": built.report["created"], "base": built.report["lines"][0]["base"]}
    database = order_of(make_database(tmp_path / "database", *NOT_HERE))
    order = replace(ORDER, tag=built.report["version"], database=database)
    error = await refusal(f"{server.host}/{path}", order, tools=tools, **given)
    assert isinstance(error, GateError)
    assert str(error).startswith("ska-python does not pass checks (sabotaged), so nothing is delivered")
    assert server.repositories(path) == set()


async def test_a_final_version_without_the_tools_of_its_gates_is_refused(
    engine: Session, server: Running, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "require_section", lambda *_: None)
    error = await refusal(f"{server.host}/{path}", replace(ORDER, tag="1.2.3"))
    assert str(error) == (
        "1.2.3 is a final version, which passes all gates, and their tools were not given; give --tools DIR "
        "(`make tools` fills one), or publish a pre-release."
    )
    assert server.repositories(path) == set()


async def test_a_right_login_publishes(
    engine: Session, guarded: Running, signed: Signed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same way that is refused above ends well, up to the build."""
    reached = []

    def open_images(_: object, build: object) -> list[Any]:
        reached.append(build)
        raise ReleaseError("far enough")

    monkeypatch.setattr(module, "open_images", open_images)
    right = dag.set_secret("right-password", PASSWORD + "\n")
    error = await refusal(guarded.host, login=Login(USER, right, dag.host().file(str(signed.ca))))
    assert (str(error), len(reached)) == ("far enough", 1)


async def test_a_line_past_its_end_of_life_is_refused_unless_that_is_accepted(
    engine: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = replace(find_line("ubuntu22"), end_of_life=date(2026, 1, 30))
    monkeypatch.setattr(module, "find_line", lambda _: old)
    error = await refusal("127.0.0.1:9", created="2026-01-31")
    assert str(error) == (
        "The line ubuntu22 got its last security updates on 2026-01-30, so it is not released any more; publish a "
        "newer line, or insist with --allow-end-of-life."
    )
    error = await refusal("127.0.0.1:9", replace(ORDER, allow_end_of_life=True), created="2026-01-31")
    assert isinstance(error, RegistryError)


async def test_the_last_day_of_a_line_stops_no_release(
    engine: Session, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    old = replace(find_line("ubuntu22"), end_of_life=date(2026, 1, 31))
    monkeypatch.setattr(module, "find_line", lambda _: old)
    assert isinstance(await refusal("127.0.0.1:9", created="2026-01-31"), RegistryError)
    assert "The line ubuntu22 gets security updates until 2026-01-31, today; move to a newer line." in caplog.text


@pytest.mark.parametrize(
    ("until", "sentence"),
    [
        ("", "and that is not accepted; accept it until a day with the setting no_profile_until"),
        ("ubuntu22=2026-01-30", "and that was accepted until 2026-01-30; accept it until a day"),
        ("ubuntu24=2026-12-31", "and that is not accepted;"),
        ("ubuntu22=2026-01-31", ""),
    ],
)
def test_a_line_without_a_profile_is_released_only_while_that_is_accepted(until: str, sentence: str) -> None:
    image = built_image("ska-base", Archive("sha256:d", 1, 1, ()))
    settings = Settings(created="2026-01-31", **({"no_profile_until": until} if until else {}))
    result = without_profile(image.image, DISTRIBUTIONS["ubuntu-26.04"], image.build)
    if not sentence:
        module._require_examined([result], [image], settings)
        return
    with pytest.raises(ReleaseError, match=f"the gate audit, because the SCAP Security Guide has no CIS .*{sentence}"):
        module._require_examined([result], [image], settings)

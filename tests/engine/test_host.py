"""The host's network settings reach each step, and stay out of images and keys."""

import json
import os
import tarfile
from pathlib import Path

import pytest
from embedded_engine.host.errors import UserError
from embedded_engine.host.settings import GUEST, default_store, read_host

from tests.engine.test_faults import client


async def test_proxy_variables_are_handed_on_in_both_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    env = (await read_host()).env()
    assert env["HTTPS_PROXY"] == env["https_proxy"] == "http://proxy.example:3128"


async def test_a_bundle_that_the_environment_names_replaces_the_images_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_text("certificates")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    host = await read_host()
    host.write(tmp_path / "guest")
    assert host.env()["PIP_CERT"] == f"{GUEST}/ca-certificates.crt"
    assert (tmp_path / "guest/ca-certificates.crt").read_text() == "certificates"


async def test_pips_index_is_read_from_its_files_and_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "pip.conf").write_text("[global]\nindex-url = https://one.example/simple\nfind-links = /here\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "https://two.example/simple")
    pip = (await read_host()).pip
    assert "index-url = https://one.example/simple\n" in pip
    assert "extra-index-url = https://two.example/simple\n" in pip
    assert "find-links" not in pip


async def test_apts_proxy_is_handed_on_and_its_other_settings_are_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "apt.conf").write_text('Acquire::http::Proxy "http://proxy.example";\nAPT::Sandbox::User "root";\n')
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    apt = (await read_host()).apt
    assert 'Acquire::http::Proxy "http://proxy.example";' in apt
    assert "Sandbox" not in apt


async def test_a_step_sees_the_proxy_its_image_does_not_and_another_proxy_runs_nothing_again(
    engine: object, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = ["sh", "-c", 'echo "$FTP_PROXY"; date +%N', "test: proxy"]
    outputs = []
    for proxy in ("http://one.example:1", "http://two.example:2"):
        monkeypatch.setenv("FTP_PROXY", proxy)
        async with client(store) as one:
            made = one.container().from_("bootstrap:auto").with_exec(step)
            outputs.append(await made.stdout())
            await made.export(str(tmp_path / "image.tar"))
    assert outputs[0].startswith("http://one.example:1\n")
    assert outputs[1] == outputs[0]
    with tarfile.open(tmp_path / "image.tar") as archive:
        documents = [archive.extractfile(m) for m in archive if m.size < 100_000]
        assert not [d for d in documents if d and b"one.example" in d.read()]
        index = archive.extractfile("index.json")
        assert index is not None
        assert json.load(index)["manifests"]


@pytest.mark.parametrize("data", ["", "relative/data", "/data"])
def test_a_users_store_is_below_an_absolute_path_or_the_home_directory(
    monkeypatch: pytest.MonkeyPatch, data: str
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.setenv("XDG_DATA_HOME", data)
    expected = "/data/embedded-engine" if data == "/data" else "/home/someone/.local/share/embedded-engine"
    assert default_store() == Path(expected)


@pytest.mark.parametrize("home", ["", "relative"])
def test_a_home_that_is_empty_or_relative_counts_as_unset(monkeypatch: pytest.MonkeyPatch, home: str) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(os, "getuid", lambda: 0)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setenv("HOME", home)
    assert default_store() == Path("/root/.local/share/embedded-engine")


def test_a_user_without_a_home_is_asked_for_a_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1_999_999_998)
    monkeypatch.setattr(os, "getuid", lambda: 1_999_999_998)
    for name in ("XDG_DATA_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UserError, match="This user has no home directory for the store; choose a directory"):
        default_store()

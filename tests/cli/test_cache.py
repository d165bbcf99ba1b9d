"""`ska-images cache`: its words, and what it says."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli import cache
from pipeline.cli.options import Options, UsageError

ROOT = Path(__file__).parents[2]


def entry(name: str, size: int, *, kind: str = "step", idle: int = 0, in_use: bool = False) -> dict[str, Any]:
    return {"kind": kind, "name": name, "size": size, "used": 1_800_000_000, "idle": idle, "in_use": in_use}


def answer(*entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    size = sum(one["size"] for one in entries)
    return {"store": "/store", "size": size, "quota": 20 * 10**9, "entries": list(entries), **more}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The arguments that the engine's program was given; its answer is of one entry."""
    given: list[list[str]] = []

    async def tend(options: Options, words: list[str]) -> dict[str, Any]:
        given.append(words)
        return answer(entry("ska-build: install", 684_189_723, idle=7_300))

    monkeypatch.setattr(cache, "tend_store", tend)
    return given


async def run(*words: str, json: bool = False) -> tuple[str, int]:
    return await cache.cache(Options(None, json, "plain", "auto", None, False, False), words)


@pytest.mark.parametrize(
    ("words", "given"),
    [
        ([], []),
        (["--prune"], ["--prune"]),
        (["--prune", "--older-than", "7d"], ["--prune", "--older-than=604800"]),
        (["--prune", "--older-than=2w", "--keep=10GB"], ["--prune", "--older-than=1209600", "--keep=10000000000"]),
        (["--prune", "--keep", "1.5GiB"], ["--prune", "--keep=1610612736"]),
        (["--prune", "--keep", "0"], ["--prune", "--keep=0"]),
        (["--verify"], ["--verify"]),
    ],
)
async def test_words_become_seconds_and_bytes(calls: list[list[str]], words: list[str], given: list[str]) -> None:
    await run(*words)
    assert calls == [given]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--older-than", "7d"], "add --prune"),
        (["--prune", "--older-than", "soon"], '--older-than takes an age such as 12h, 7d or 2w, not "soon"'),
        (["--prune", "--older-than", ""], '--older-than takes an age such as 12h, 7d or 2w, not ""'),
        (["--prune", "--keep", ""], '--keep takes a size such as 500MB or 10GB, not ""'),
        (["--prune", "--keep", "20,5GB"], '--keep takes a size such as 500MB or 10GB, not "20,5GB"'),
        (["--prune", "--keep", "much"], '--keep takes a size such as 500MB or 10GB, not "much"'),
        (["all"], 'unexpected word "all"; see `ska-images cache --help`'),
        (["--prune", "--keep"], "--keep: expected one argument"),
    ],
)
async def test_a_wrong_word_is_named(calls: list[list[str]], words: list[str], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        await run(*words)
    assert calls == []


async def test_it_is_a_table_and_a_sentence(calls: list[list[str]]) -> None:
    text, code = await run()
    assert code == 0
    assert text.splitlines() == [
        "KIND  NAME                    SIZE  LAST USED",
        "step  ska-build: install  684.2 MB  2 hours ago",
        "",
        "684.2 MB of 20.0 GB in /store: 1 entry.",
    ]


async def test_json_has_everything(calls: list[list[str]]) -> None:
    text, _ = await run(json=True)
    document = json.loads(text)
    assert (document["size"], document["quota"]) == (684_189_723, 20_000_000_000)
    assert document["entries"][0]["used"] == "2027-01-15T08:00:00Z"


def text_of(document: dict[str, Any]) -> list[str]:
    return cache.text(document).splitlines()


def test_entries_of_one_name_are_one_row() -> None:
    lines = text_of(answer(entry("check", 1_000_000, idle=90_000), entry("check", 2_000_000, idle=172_800)))
    assert lines[1].split() == ["step", "check", "(2)", "3.0", "MB", "1", "day", "ago"]


def test_the_largest_stand_first_and_small_ones_share_a_row() -> None:
    lines = text_of(answer(*(entry(f"step {number}", number * 1_000_000) for number in range(30))))
    assert lines[1].split()[2] == "29"
    assert lines[21].split() == ["10", "more", "45.0", "MB", "just", "now"]


def test_what_a_running_build_uses_is_marked() -> None:
    lines = text_of(answer(entry("check", 1_000_000, idle=90_000, in_use=True)))
    assert lines[1].endswith("in use")
    assert lines[-1] == "1.0 MB of 20.0 GB in /store: 1 entry, 1 in use."


def test_a_long_name_is_cut() -> None:
    assert max(map(len, text_of(answer(entry("x" * 200, 1))))) < 90


def test_what_was_removed_is_said_without_the_table() -> None:
    assert text_of(answer(entry("check", 1_000_000), removed={"count": 3, "size": 3_400_000_000})) == [
        "3 entries removed, 3.4 GB.",
        "1.0 MB of 20.0 GB in /store: 1 entry.",
    ]


def test_damage_is_said() -> None:
    damaged = {"kind": "step", "name": "check", "what": "files are missing or were changed", "removed": True}
    lines = text_of(answer(damaged=[damaged, damaged | {"removed": False}]))
    assert lines[:2] == [
        "step check: files are missing or were changed; it is removed.",
        "step check: files are missing or were changed; a running build uses it.",
    ]


def test_a_sound_store_is_said_to_be() -> None:
    assert text_of(answer(damaged=[]))[0] == "Everything is as it was written."


def test_no_limit_is_not_said() -> None:
    assert text_of(answer() | {"quota": 0}) == ["0.0 MB in /store: 0 entries."]


def test_its_help_fits_in_80_columns() -> None:
    assert [line for line in cache.HELP.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("words", [["cache", "--help"], ["cache", "--prune", "--keep", "x"]])
def test_it_needs_no_sdk(words: list[str]) -> None:
    program = f"import sys, pipeline.cli.app as a; a.main({words}); sys.exit('dagger' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False, capture_output=True).returncode == 0


def test_it_works_on_a_new_store(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "pipeline", "cache", "--store", str(tmp_path / "store")]
    run = subprocess.run(argv, cwd=ROOT, check=False, capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout == f"0.0 MB of 20.0 GB in {tmp_path / 'store'}: 0 entries.\n"

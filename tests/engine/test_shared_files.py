"""A file that one snapshot has from another takes its place on the disk once, and neither can change the other."""

import secrets
from pathlib import Path

import pytest
from dagger import dag
from embedded_engine.session import Session

from pipeline.build.inputs import Build

pytestmark = pytest.mark.asyncio(loop_scope="session")


def found(store: Path, name: str) -> Path:
    """Return the only file with a name in the snapshots of a store."""
    (path,) = store.glob(f"snapshots/*/diff/{name}")
    return path


async def test_a_copied_file_is_another_name_of_the_same_file(engine: Session, store: Path) -> None:
    word = secrets.token_hex()
    copied = dag.directory().with_file(f"copy-{word}", dag.directory().with_new_file(word, "text").file(word))
    assert await copied.file(f"copy-{word}").contents() == "text"
    assert found(store, f"copy-{word}").samefile(found(store, word))


async def test_a_copy_with_another_mode_leaves_its_source_as_it_is(engine: Session, store: Path) -> None:
    word = secrets.token_hex()
    source = dag.directory().with_new_file(word, "text", permissions=0o644).file(word)
    copied = dag.directory().with_file(f"copy-{word}", source, permissions=0o600)
    assert await copied.file(f"copy-{word}").contents() == "text"
    assert found(store, f"copy-{word}").stat().st_mode & 0o777 == 0o600
    assert found(store, word).stat().st_mode & 0o777 == 0o644


async def test_a_step_that_changes_the_copy_leaves_the_source_as_it_is(
    engine: Session, store: Path, build: Build
) -> None:
    word = secrets.token_hex()
    source = dag.directory().with_new_file(word, "text").file(word)
    script = f"chown 12:34 copy-{word} && chmod 0600 copy-{word} && echo more >>copy-{word}"
    root = build.workbench.container.with_directory("/t", dag.directory().with_file(f"copy-{word}", source))
    mounted = build.workbench.container.with_mounted_directory("/t", dag.directory().with_file(f"copy-{word}", source))
    for container in (root, mounted):
        changed = container.with_workdir("/t").with_exec(["sh", "-euc", script])
        assert await changed.file(f"/t/copy-{word}").contents() == "textmore\n"
    origin = found(store, word)
    assert (origin.read_text(), origin.stat().st_mode & 0o777, origin.stat().st_uid) == ("text", 0o644, 0)


async def test_what_is_copied_into_a_container_has_one_name(engine: Session, store: Path, build: Build) -> None:
    word = secrets.token_hex()
    source = dag.directory().with_new_file(word, "text").file(word)
    await build.workbench.container.with_file(f"/copy-{word}", source).sync()
    assert found(store, f"copy-{word}").stat().st_nlink == 1

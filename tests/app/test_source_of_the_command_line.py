"""What the command line takes of a project's directory."""

from pathlib import Path

import dagger
import pytest
from embedded_engine.session import Session

from pipeline.cli.arguments import Call
from pipeline.cli.functions import functions_of
from pipeline.cli.values import arguments

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("name", ["build-app", "report-app"])
async def test_what_is_not_source_does_not_reach_the_engine(engine: Session, tmp_path: Path, name: str) -> None:
    for path in ("pyproject.toml", "src/a.py", ".git/HEAD", ".venv/bin/python", "my-project.tar", "src/data.tar"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("text")
    function = functions_of(None)[name]
    (flag,) = (flag for flag in function.flags if flag.name == "source")
    source: dagger.Directory = arguments(Call(function, {flag: (str(tmp_path),)}))["source"]
    assert sorted(await source.glob("**")) == ["pyproject.toml", "src/", "src/a.py", "src/data.tar"]

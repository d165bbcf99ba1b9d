"""A directory of text files has all of them, even if one request had no room for so many calls."""

import pytest
from embedded_engine.session import Session

from pipeline.text_files import text_files

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("count", [0, 1, 50, 51, 200])
async def test_every_file_is_there_with_its_text(engine: Session, count: int) -> None:
    files = {f"{number % 7}/{number}": f"{number}" for number in range(count)}
    directory = text_files(files)
    found = [path for path in await directory.glob("**") if not path.endswith("/")]
    assert sorted(found) == sorted(files)
    for path in list(files)[-1:]:
        assert await directory.file(path).contents() == files[path]

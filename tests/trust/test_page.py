"""The page of the report in a real browser."""

import re
import subprocess
from pathlib import Path

import dagger
import pytest

from tests.trust.test_report import document, made

__all__ = ["document", "made"]  # fixtures

POLICY = re.compile(r"<meta http-equiv=\"Content-Security-Policy\"[^>]*>")
#: Measures the page; only a test does, for the page itself has no script.
MEASURE = """<script>
const root = document.documentElement, good = getComputedStyle(root).getPropertyValue("--good").trim();
document.title = [root.scrollWidth, root.clientWidth, good, document.querySelectorAll("section").length].join(" ");
</script></body>"""


def measured(html: str, directory: Path, *flags: str) -> list[str]:
    """Show a page in Chromium: its width, the window's, the colour of what is good, and how many images it shows."""
    file = directory / "page.html"
    file.write_text(POLICY.sub("", html).replace("</body>", MEASURE))
    argv = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={directory}/profile"]
    shown = subprocess.run([*argv, *flags, "--dump-dom", file.as_uri()], capture_output=True, text=True, check=True)
    (title,) = re.findall("<title>(.*)</title>", shown.stdout)
    return str(title).split(" ")


@pytest.mark.parametrize("width", [390, 1200])
async def test_no_page_is_wider_than_its_window(made: dagger.Directory, tmp_path: Path, width: int) -> None:
    html = await made.file("report.html").contents()
    needed, window, _, sections = measured(html, tmp_path, f"--window-size={width},900")
    assert (needed, sections) == (window, "1") and width - int(window) < 20


async def test_the_page_has_colours_of_its_own_in_the_dark(made: dagger.Directory, tmp_path: Path) -> None:
    html = await made.file("report.html").contents()
    colours = {measured(html, tmp_path, f"--blink-settings=preferredColorScheme={dark}")[2] for dark in (0, 1)}
    assert len(colours) == 2

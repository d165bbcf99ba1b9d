"""The result of a comparison as text."""

from collections.abc import Mapping

from dev.reproduce.comparison import Comparison
from pipeline.cli.summary import aligned

#: How many differences of an image are shown; they tend to have one cause.
SHOWN = 20
_HEADER = ("IMAGE", "FIRST", "SECOND", "EQUAL")


def table(found: Mapping[str, Comparison]) -> str:
    """Return a row for each image, followed by the differences.

    Args:
        found: the results by the images' names.
    """
    rows: list[tuple[str, ...]] = [_HEADER]
    for name, image in found.items():
        rows.append((name, *(digest[:19] for digest in image.digests), "NO" if image.differences else "yes"))
    lines = [aligned(rows)]
    for name, image in found.items():
        if image.differences:
            lines += ["", name, *(f"  {one}" for one in image.differences[:SHOWN])]
            if (more := len(image.differences) - SHOWN) > 0:
                lines.append(f"  … and {more} more")
    return "\n".join(lines)

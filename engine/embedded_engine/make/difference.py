"""Compares two directories."""

import asyncio
import filecmp
import os
import stat
from pathlib import Path
from typing import Any

from embedded_engine.graph.nodes import Difference
from embedded_engine.host.beneath import is_without_links
from embedded_engine.host.errors import BadInput
from embedded_engine.host.rootpath import is_directory, resolve, walk
from embedded_engine.make.copying import copy_tree
from embedded_engine.make.evaluator import Evaluator, builds


@builds(Difference)
async def difference(evaluator: Evaluator, node: Difference, directory: Path) -> dict[str, Any]:
    """Copy the entries of one directory that another lacks or has with other content."""
    lower = resolve(await evaluator.view(node.lower), node.lower_path)
    upper = resolve(await evaluator.view(node.upper), node.upper_path)
    if not is_directory(upper):
        raise BadInput(f"There is no directory '{node.upper_path}' to compare; name one that exists.")
    wanted = await asyncio.to_thread(_different, lower, upper)
    await asyncio.to_thread(copy_tree, upper, directory / "diff", wanted=wanted)
    return {}


def _different(lower: Path, upper: Path) -> frozenset[str]:
    found: set[str] = set()
    for path in walk(upper):
        inside = path.relative_to(upper)
        # A link along the path could lead to files of this machine.
        if not (is_without_links(lower, str(inside.parent)) and _same(lower / inside, path)):
            found |= {str(each) for each in (inside, *inside.parents) if str(each) != "."}
    return frozenset(found)


def _same(one: Path, other: Path) -> bool:
    if not os.path.lexists(one):
        return False
    first, second = one.lstat(), other.lstat()
    if [first.st_mode, first.st_uid, first.st_gid, first.st_rdev] != [
        second.st_mode,
        second.st_uid,
        second.st_gid,
        second.st_rdev,
    ]:
        return False
    if stat.S_ISLNK(first.st_mode):
        return one.readlink() == other.readlink()
    return not stat.S_ISREG(first.st_mode) or filecmp.cmp(one, other, shallow=False)

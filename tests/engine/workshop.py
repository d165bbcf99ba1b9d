"""Plans carried out: changes made through real overlays, packed, and restored by other programs.

It runs in namespaces of its own, as root or as an ordinary user, and answers requests line by line.
"""

import ast
import asyncio
import os
import shutil
import subprocess
import sys
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from embedded_engine.host.namespace import namespaces
from embedded_engine.make import overlay
from embedded_engine.oci.below import Below
from embedded_engine.oci.layer import Layer, write_layer
from embedded_engine.store.store import Store

from tests.engine.changes import change
from tests.engine.limits import LIMITS
from tests.engine.plans import Plan
from tests.engine.restore import RESTORERS, image_of
from tests.engine.tampering import tampered
from tests.engine.trees import differences, facts

#: What a restored tree has otherwise: path, what the container saw, what was restored.
Differences = list[tuple[bytes, object, object]]


class Workshop:
    """A process that carries plans out, seen from a test."""

    def __init__(self, words: list[str], directory: Path) -> None:
        self._process = subprocess.Popen(
            [*words, sys.executable, "-m", "tests.engine.workshop", str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )

    def restored(
        self, plan: Plan, *, epoch: int | None, tools: list[str], tamper: str = "", limits: bool = True
    ) -> dict[str, Differences]:
        """Return what each tool restores otherwise than the container saw it.

        Args:
            plan: the changes of each layer.
            epoch: what times are clamped to, in seconds since 1970.
            tools: names of RESTORERS.
            tamper: one of TAMPERING, what is made wrong in each layer.
            limits: whether the known limits of other programs are forgiven.
        """
        found: dict[str, Differences] = self._ask("restored", plan, epoch, tools, tamper, limits)
        return found

    def digests(self, plan: Plan, *, epoch: int) -> list[str]:
        """Return the digests of the layers, packed in a store of their own."""
        found: list[str] = self._ask("digests", plan, epoch)
        return found

    def _ask(self, *request: object) -> Any:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(repr(request).encode() + b"\n")
        self._process.stdin.flush()
        answer = ast.literal_eval(self._process.stdout.readline().decode() or "{'error': 'it ended'}")
        assert not (isinstance(answer, dict) and "error" in answer), answer["error"]
        return answer

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


async def _layers(store: Store, plan: Plan, epoch: int | None) -> tuple[list[Path], list[Layer]]:
    diffs: list[Path] = []
    layers: list[Layer] = []
    for changes in plan:
        scratch = store.temporary()
        async with overlay.writable(store, diffs, scratch) as root:
            change(root, changes)
        layers.append(_packed(store, diffs, scratch / "diff", epoch))
        diffs.append(scratch / "diff")
    return diffs, layers


def _packed(store: Store, below: list[Path], diff: Path, epoch: int | None) -> Layer:
    out = store.temporary() / "layer"
    layer = write_layer(diff, out, below=[Below(one, epoch) for one in below], epoch=epoch)
    store.keep_blob(out, layer.digest)
    return layer


@asynccontextmanager
async def _store(directory: Path) -> AsyncIterator[Store]:
    store = Store(directory / os.urandom(4).hex())
    store.begin(print)
    try:
        yield store
    finally:
        await store.end()
        shutil.rmtree(store.root)


async def restored(
    directory: Path, plan: Plan, epoch: int | None, tools: list[str], tamper: str, limits: bool
) -> dict[str, Differences]:
    """Carry a plan out, and return what each tool restores otherwise."""
    async with _store(directory) as store:
        diffs, layers = await _layers(store, plan, epoch)
        if tamper:
            layers = [tampered(store, layer, tamper) for layer in layers]
        at = store.temporary()
        layout = image_of(layers, store.root / "blobs/sha256", at)
        for tool in tools:
            RESTORERS[tool](layout, at / tool)
        overlay.mount(store, diffs, at / "merged")
        try:
            expected = facts(at / "merged", epoch=epoch)
        finally:
            overlay.unmount(at / "merged")
        known = {tool: LIMITS[tool](expected) for tool in LIMITS if limits}
        return {tool: differences(known.get(tool, expected), facts(at / tool)) for tool in tools}


async def digests(directory: Path, plan: Plan, epoch: int | None) -> list[str]:
    """Carry a plan out, and return the digests of its layers; each is packed twice."""
    async with _store(directory) as store:
        diffs, layers = await _layers(store, plan, epoch)
        assert layers == [_packed(store, diffs[:depth], diff, epoch) for depth, diff in enumerate(diffs)]
        return [layer.digest for layer in layers]


REQUESTS: dict[str, Callable[..., Awaitable[object]]] = {"restored": restored, "digests": digests}


async def _serve(directory: Path) -> None:
    for line in sys.stdin.buffer:
        name, *arguments = ast.literal_eval(line.decode())
        try:
            answer: object = await REQUESTS[name](directory, *arguments)
        except Exception:
            answer = {"error": traceback.format_exc()}
        print(repr(answer), flush=True)


async def _enter(directory: str) -> int:
    async with namespaces() as prefix:
        argv = [*prefix, sys.executable, "-m", "tests.engine.workshop", directory, "inside"]
        return (await asyncio.to_thread(subprocess.run, argv, check=False)).returncode


if __name__ == "__main__":
    if sys.argv[-1] == "inside":
        asyncio.run(_serve(Path(sys.argv[1])))
    else:
        sys.exit(asyncio.run(_enter(sys.argv[1])))

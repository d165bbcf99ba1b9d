"""Steps that misbehave: they leave processes running, print without end, or print nothing."""

import asyncio
from pathlib import Path

import dagger
import pytest
from embedded_engine.host import events as engine_events
from embedded_engine.host.events import Events
from embedded_engine.make.output import KEPT_END

from tests.engine.faults.machine import client, on_base, peaks_of_memory, script

#: More than the engine keeps, and more than it may have in memory.
PRINTED = 300_000_007


@pytest.mark.parametrize(
    "daemon",
    [
        "sleep 1000 &",
        "setsid sleep 1000 &",
        "setsid sh -c 'setsid sleep 1000 & sleep 1000' &",
        "setsid sleep 1000 </dev/null >/dev/null 2>&1 &",
        "(sleep 1000 & ) ; exec >&-; exec 2>&-",
    ],
)
async def test_a_step_ends_with_its_first_process_whatever_that_left_running(
    store: Path, base: Path, daemon: str
) -> None:
    async with client(store) as one:
        step = on_base(one, base).with_exec(script(f"echo said; {daemon}", "forks"))
        assert await asyncio.wait_for(step.stdout(), 60) == "said\n"


async def test_endless_output_is_neither_kept_nor_shown_whole(store: Path, base: Path) -> None:
    events: list[dict[str, object]] = []
    noisy = script("yes ska-images | head -c 299999998; echo; echo the end; exit 3", "noisy")
    async with client(store, events) as one:
        with pytest.raises(dagger.ExecError) as caught:
            await on_base(one, base).with_exec(noisy).sync()
        step = on_base(one, base).with_exec(noisy, expect=dagger.ReturnType.FAILURE)
        await step.sync()
        with pytest.raises(dagger.QueryError, match=r"has 300000007 bytes, of which only the end is kept"):
            await step.stdout()
        peaks = peaks_of_memory(str(store))
    assert caught.value.exit_code == 3
    assert caught.value.stdout.startswith("[omitting ")
    assert caught.value.stdout.endswith("\nthe end")
    assert len(caught.value.stdout) <= KEPT_END
    lines = [event["text"] for event in events if event["event"] == "log"]
    assert lines[-1] == "the end"
    # The two steps printed twice as much.
    assert sum(len(str(line)) for line in lines) < 2 * PRINTED / 20
    (output,) = store.glob("snapshots/*/stdout")
    assert output.stat().st_size == PRINTED
    assert output.stat().st_blocks * 512 < 4 * KEPT_END
    assert 0 < max(peaks) < 200_000_000


async def test_redirected_output_is_whole_whatever_its_length(store: Path, base: Path) -> None:
    async with client(store) as one:
        step = on_base(one, base).with_exec(
            ["sh", "-c", "yes | head -c 150000000"], redirect_stdout="/printed", expect=dagger.ReturnType.SUCCESS
        )
        assert await step.file("/printed").size() == 150_000_000


async def test_a_step_that_says_nothing_is_said_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[dict[str, object]] = []
    monkeypatch.setattr(engine_events, "SILENCE", 0.1)
    events = Events(None)
    monkeypatch.setattr(events, "write", lambda **event: written.append(event))
    with events.step("silent") as step:
        await asyncio.sleep(0.35)
        step.log("stdout", "now it speaks")
    assert [event.get("state") for event in written] == ["started", "running", "running", "running", None, "done"]

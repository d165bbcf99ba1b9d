"""Work side by side: results in order, one plain error."""

from functools import partial

import anyio
import anyio.lowlevel
import pytest

from pipeline.concurrency import AT_ONCE, Shared, both, concurrently


async def test_results_have_the_jobs_order_and_not_that_of_their_ends() -> None:
    second_done = anyio.Event()

    async def first() -> int:
        await second_done.wait()
        return 1

    async def second() -> int:
        second_done.set()
        return 2

    assert await concurrently([first, second]) == [1, 2]


async def test_only_so_many_jobs_run_at_once() -> None:
    running: list[int] = []
    most = 0

    async def job() -> None:
        nonlocal most
        running.append(1)
        most = max(most, len(running))
        await anyio.lowlevel.checkpoint()
        running.pop()

    await concurrently([job] * (3 * AT_ONCE))
    assert most == AT_ONCE


async def test_the_first_jobs_may_need_a_result_that_the_last_gives() -> None:
    async def make() -> int:
        await anyio.lowlevel.checkpoint()
        return 1

    shared = [Shared(make) for _ in range(3 * AT_ONCE)]

    async def after(place: int) -> int:
        return await shared[place].get() + await shared[-1].get()

    assert await concurrently([partial(after, place) for place in range(len(shared))]) == [2] * len(shared)


async def test_an_error_is_raised_as_it_is_and_ends_the_others() -> None:
    ended = anyio.Event()

    async def fail() -> None:
        raise ValueError("a sentence")

    async def wait_for_ever() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            ended.set()

    with pytest.raises(ValueError, match=r"^a sentence$"):
        await concurrently([wait_for_ever, fail])
    assert ended.is_set()


async def test_two_jobs_of_different_kinds_keep_their_types() -> None:
    async def give(value: object) -> object:
        return value

    assert await both(partial(give, 1), partial(give, "one")) == (1, "one")


async def test_a_shared_result_is_made_once() -> None:
    calls: list[int] = []

    async def make() -> int:
        calls.append(len(calls))
        await anyio.lowlevel.checkpoint()
        return len(calls)

    shared = Shared(make)
    assert await concurrently([shared.get, shared.get, shared.get]) == [1, 1, 1]
    assert calls == [0]


async def test_a_shared_failure_is_raised_for_each_that_asks() -> None:
    async def fail() -> int:
        raise ValueError("no result")

    shared = Shared(fail)
    for _ in range(2):
        with pytest.raises(ValueError, match="no result"):
            await shared.get()

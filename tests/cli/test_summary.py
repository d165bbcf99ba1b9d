from pathlib import Path

from pipeline.cli.progress import Step
from pipeline.cli.summary import RunSummary, table


def step(name: str, state: str, seconds: float) -> Step:
    return Step(name, name, state, 0.0, seconds)


def image(name: str, size: int) -> dict[str, object]:
    return {
        "name": name,
        "size": size,
        "layers": ["a", "b"],
        "checks": ["c"],
        "digest": "sha256:0123456789abcdef0123",
    }


REPORT = {"images": [image("ska-base", 31_449_999), image("ska-build-python", 140_000_000)]}


def test_the_table_has_a_row_for_each_image_and_a_closing_line() -> None:
    steps = (
        step("ska-base: upgrade", "done", 8.0),
        step("ska-base: check locale", "done", 0.5),
        step("ska-build-python: poetry", "cached", 0.0),
    )
    assert table(REPORT, RunSummary(steps, 73.6), Path("dist")) == (
        "IMAGE                SIZE  LAYERS  CHECKS  DIGEST                 TIME\n"
        "ska-base          31.4 MB       2       1  sha256:0123456789ab   8.5 s\n"
        "ska-build-python  140.0 MB       2       1  sha256:0123456789ab  cached\n"
        "\n"
        "2 images built and checked in 74 s; archives in dist/"
    ).replace("IMAGE                SIZE", "IMAGE                 SIZE").replace(
        "ska-base          31.4", "ska-base           31.4"
    )


def test_a_run_without_work_says_so() -> None:
    assert table(REPORT, RunSummary((), 1.23), Path("dist")).endswith(
        "\n\nNothing to do: 2 images are up to date (1.2 s)."
    )


def test_a_run_that_only_writes_archives_says_so() -> None:
    steps = (step("ska-base: upgrade", "cached", 0.0),)
    assert table(REPORT, RunSummary(steps, 1.23), Path("dist")).endswith(
        "\n\nNothing to build: 2 images are up to date; archives written to dist/ (1.2 s)."
    )


def test_an_engine_that_does_not_tell_its_steps_leaves_the_times_open() -> None:
    text = table(REPORT, RunSummary(None, 60.0), Path("out"))
    assert text.splitlines()[1].endswith("  -")
    assert text.endswith("2 images built and checked in 60 s; archives in out/")


def test_the_time_of_an_image_does_not_count_those_whose_names_begin_alike() -> None:
    steps = (step("ska-base-more: upgrade", "done", 8.0),)
    assert "cached" in table(REPORT, RunSummary(steps, 1.0), Path("dist")).splitlines()[1]

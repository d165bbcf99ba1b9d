from pathlib import Path

import pytest

from pipeline.cli.options import UsageError, split_options


def test_without_flags_the_progress_and_the_engine_are_chosen_automatically() -> None:
    options, words = split_options(["images"])
    assert (options.progress, options.engine, options.output, options.json) == ("auto", "auto", None, False)
    assert words == ["images"]


@pytest.mark.parametrize("place", range(5))
def test_a_global_flag_may_stand_anywhere(place: int) -> None:
    words = ["--base=b", "build", "--image", "ska-python"]
    argv = [*words[:place], "--output=x.tar", *words[place:]]
    options, rest = split_options(argv)
    assert options.output == Path("x.tar")
    assert rest == words


def test_the_words_of_other_flags_keep_their_order() -> None:
    words = ["--a", "1", "f", "--b=2", "-c", "g", "h"]
    assert split_options(["-j", *words, "-o", "out"])[1] == words


def test_a_prefix_of_a_flag_is_not_the_flag() -> None:
    options, words = split_options(["--outp=x", "images"])
    assert options.output is None
    assert words == ["--outp=x", "images"]


def test_an_unknown_engine_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"'docker'.*'auto', 'embedded', 'dagger'"):
        split_options(["--engine", "docker", "images"])


def test_a_flag_without_its_value_is_refused() -> None:
    with pytest.raises(UsageError, match="--store: expected one argument"):
        split_options(["images", "--store"])


@pytest.mark.parametrize("flag", ["--store", "--output"])
def test_a_path_that_is_empty_is_refused(flag: str) -> None:
    with pytest.raises(UsageError, match=f"{flag} is empty; give a path, or leave the flag out"):
        split_options([flag, "", "images"])


def test_version_is_the_programs_when_alone_and_the_images_otherwise() -> None:
    assert split_options(["--version"])[0].version
    options, words = split_options(["--version", "1.2.3", "images"])
    assert not options.version
    assert words == ["--version", "1.2.3", "images"]

"""Users and groups are looked up in lists that nobody vouches for."""

import os
from pathlib import Path

import pytest
from embedded_engine.host.errors import BadInput
from embedded_engine.host.users import LARGEST_ID, LARGEST_LIST, MOST_GROUPS, User, look_up


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Return a root with three users and three groups."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\nada:x:7:8::/:\nada:x:9:9::/:\n")
    (tmp_path / "etc/group").write_text("root:x:0:\nstaff:x:50:ada,eve\nwheel:x:51:eve\n")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "user"),
    [
        ("", User(0, 0)),
        ("ada", User(7, 8, (50,))),
        ("7", User(7, 8, (50,))),
        ("12", User(12, 0)),
        ("ada:wheel", User(7, 51)),
        ("12:34", User(12, 34)),
    ],
)
def test_a_user_is_who_the_image_says(image: Path, name: str, user: User) -> None:
    assert look_up(image, name) == user


@pytest.mark.parametrize("number", ["²", "٣", str(LARGEST_ID), "9" * 5000])
@pytest.mark.parametrize("kind", ["user", "group"])
def test_only_decimal_digits_below_the_limit_are_a_number(image: Path, kind: str, number: str) -> None:
    with pytest.raises(
        BadInput, match=rf"is not the number of a {kind}; give one below 4294967295, in the digits 0 to 9\."
    ):
        look_up(image, number if kind == "user" else f"0:{number}")


@pytest.mark.parametrize("line", ["eve:x:²:5::/:", "eve:x:5:²::/:", "eve:x:5", "eve:x:-1:5", "eve:x:5:" + "9" * 5000])
def test_a_line_that_is_no_user_is_passed_over(image: Path, line: str) -> None:
    (image / "etc/passwd").write_text(f"{line}\nada:x:7:8::/:\n")
    assert look_up(image, "ada").uid == 7
    with pytest.raises(BadInput, match="The user 'eve' is not in the image's /etc/passwd"):
        look_up(image, "eve")


@pytest.mark.parametrize("name", ["passwd", "group"])
def test_a_list_without_end_is_refused(image: Path, name: str) -> None:
    os.truncate(image / "etc" / name, 1_500_000_000)
    with pytest.raises(BadInput, match=rf"^The file '/etc/{name}' has more than {LARGEST_LIST} bytes; make it smaller"):
        look_up(image, "ada")


def test_a_pipe_in_the_place_of_a_list_is_not_waited_for(image: Path) -> None:
    (image / "etc/passwd").unlink()
    os.mkfifo(image / "etc/passwd")
    assert look_up(image, "7") == User(7, 0)


def test_a_user_has_as_many_groups_as_linux_allows(image: Path) -> None:
    (image / "etc/group").write_text("".join(f"g:x:{number}:ada\n" for number in range(MOST_GROUPS + 1)))
    with pytest.raises(BadInput, match=f"The user 'ada' is in more than {MOST_GROUPS} groups"):
        look_up(image, "ada")

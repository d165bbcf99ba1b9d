"""Groups of parameters: a function takes the fields of a dataclass, and its method gets the dataclass."""

import inspect
from dataclasses import dataclass
from typing import Annotated, Any, get_type_hints

from pipeline.module.grouping import Group, spread


@dataclass(frozen=True)
class Account:
    user: str = "nobody"
    port: int | None = None


class Part:
    @spread
    async def copy(
        self,
        tag: str = "latest",
        *,
        source: Annotated[Account, Group("from_")],
        target: Annotated[Account, Group()],
        dry: bool = False,
    ) -> tuple[Any, ...]:
        return tag, source, target, dry


def test_the_fields_of_a_group_are_parameters_in_its_place() -> None:
    shown = [(parameter.name, parameter.default) for parameter in inspect.signature(Part().copy).parameters.values()]
    sides = [("from_user", "nobody"), ("from_port", None), ("user", "nobody"), ("port", None)]
    assert shown == [("tag", "latest"), *sides, ("dry", False)]


def test_the_hints_are_those_of_the_fields() -> None:
    account = {"from_user": str, "from_port": int | None, "user": str, "port": int | None}
    assert get_type_hints(Part.copy) == {"tag": str, **account, "dry": bool, "return": tuple[Any, ...]}


async def test_the_method_gets_each_group_with_its_own_values() -> None:
    copied = await Part().copy(tag="1.0.0", from_user="me", port=5000)
    assert copied == ("1.0.0", Account("me"), Account(port=5000), False)

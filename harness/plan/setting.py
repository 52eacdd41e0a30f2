"""Setting: a default of the user's own, and where it is from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from contend.harness.errors import BadInputError
from contend.harness.plan.options import Option

FROM_FILE, FROM_ENVIRONMENT, FROM_COMMAND_LINE = 1, 2, 3
"""Strengths: what is stronger goes before what is weaker; built-in defaults are weaker than all."""


@dataclass(frozen=True)
class Setting:
    """A value for an option that nobody has said for this run in particular.

    Attributes
    ----------
    option : Option
    value : object
        As the request takes it; of dials one, in a mapping.
    source : str
        Name of the file, or of the environment variable.
    strength : int
    """

    option: Option[Any, Any]
    value: Any
    source: str
    strength: int

    @property
    def name(self) -> str:
        """Name of the option's field."""
        return self.option.name

    @property
    def text(self) -> str:
        """The value as the command line would have it."""
        kind = self.option.type
        kept = kind.keep(self.option.key, self.value)
        return str(kept).lower() if kind.is_flag else " ".join(kind.write(kept))

    def as_json(self) -> dict[str, str]:
        """Show the setting as a record keeps it."""
        return {"option": self.option.key, "value": self.text, "source": self.source}


def checked(option: Option[Any, Any], name: str, source: str, read: Callable[[], Any]) -> Any:
    """Value of an option that is read from a place, if the option's type would keep it.

    Raises
    ------
    BadInputError
        If it is refused, by place and name.
    """
    try:
        value = read()
        option.type.keep(name, value)
    except BadInputError as error:
        said = str(error)
        place = source if name in said or name == source else f"{source}: {name}"
        raise BadInputError(said if said.startswith(f"{place}:") else f"{place}: {said}") from None
    return value


def shown(settings: Iterable[Setting]) -> str:
    """One line about settings, by where they are from."""
    by_source: dict[str, list[str]] = {}
    for one in settings:
        by_source.setdefault(one.source, []).append(f"{one.option.key} {one.text}")
    return "; ".join(f"{', '.join(said)} ({source})" for source, said in by_source.items())

"""Options of commands that say what to measure: made from the fields of `harness.plan.request.Request`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

import click
from click.core import ParameterSource

from contend.harness.plan.options import Option, options
from contend.harness.plan.request import Request
from contend.harness.plan.suites import fixed_by_suite

P = ParamSpec("P")
R = TypeVar("R")

ALL_OPTIONS = tuple(options(Request))
"""Names of all options of a request, in the order of the help."""
SHARED_OPTIONS = tuple(name for name, option in options(Request).items() if not option.run_only)
"""Those that other commands than ``contend run`` take, too."""


class Asked:
    """Values of a command's options, parsed when they are asked for.

    Parameters
    ----------
    said : mapping
        By name of an option: what click has read. Nothing about options that were not given and for which the command
        has no default of its own.
    given : frozenset of str
        Which of them were given on the command line.
    kind : type
        `Request`, or a dataclass derived from it.
    """

    def __init__(self, said: Mapping[str, Any], given: frozenset[str], kind: type[Request]) -> None:
        self._said = said
        self._given = given
        self._kind = kind

    def value(self, name: str) -> Any:
        """Value of an option, as `Request` takes it; None where it was not given.

        Raises
        ------
        BadInputError
            If it cannot be read.
        """
        return options(self._kind)[name].type.read(self._said[name]) if name in self._said else None

    def request(self, **decided: Any) -> Request:
        """The request that they make.

        Parameters
        ----------
        **decided
            Fields that the command decides, whatever its options say.

        Raises
        ------
        BadInputError
            If an option cannot be read or is refused.
        """
        said = {name: self.value(name) for name in self._said} | decided
        return self._kind(**fixed_by_suite(said) | said)

    def first_given(self) -> str | None:
        """The option of those given that comes first in the help; None if none was given."""
        return next((option.flags[0] for name, option in options(self._kind).items() if name in self._given), None)


class RequestOption(click.Option):
    """An option of a command that is one of a request, and not one of the command's own."""


def request_options(
    *names: str, kind: type[Request] | None = None, **changes: Mapping[str, Any]
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Give a command options of a request; it takes ``asked``, an `Asked`, for all of them.

    Parameters
    ----------
    *names : str
        Fields of the request, in the order of the help.
    kind : type, optional
        `Request`, which is the default, or a dataclass derived from it.
    **changes : mapping
        By name: attributes of `click.option` that differ for this command. A ``default`` is what the option says if it
        is not given; ``help`` is without the default, which is added, unless ``default_text`` says it.
    """
    asked_for = kind or Request

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def command(*args: P.args, **kwargs: P.kwargs) -> R:
            read: dict[str, Any] = {name: kwargs.pop(name) for name in names}
            source = click.get_current_context().get_parameter_source
            given = frozenset(name for name in names if source(name) is ParameterSource.COMMANDLINE)
            # Nothing said is None, or an empty tuple where an option may be given several times.
            said = {name: value for name, value in read.items() if value is not None and value != ()}
            kwargs["asked"] = Asked(said, given, asked_for)
            return function(*args, **kwargs)

        for name in reversed(names):
            option = options(asked_for)[name]
            attributes = click_attributes(option, **changes.get(name, {}))
            command = click.option(*option.flags, name, cls=RequestOption, **attributes)(command)
        return command

    return decorate


def click_attributes(option: Option[Any, Any], default_text: str | None = None, **changes: Any) -> dict[str, Any]:
    """Attributes of an option for `click.option`; click itself knows defaults of commands only."""
    kind = option.type
    usual = {
        "type": click.Choice(kind.choices) if kind.choices else kind.python,
        "metavar": option.metavar,
        "multiple": kind.repeatable,
        "help": option.help,
    }
    attributes = usual | changes
    if default_text is None:
        default_text = "" if changes.get("required") else str(changes.get("default", option.default_text))
    if default_text:
        attributes["help"] += f"  [default: {default_text}]"
    return attributes

"""Options of commands that say what to measure: made from the fields of `harness.plan.request.Request`."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from contend.harness.commands.common import tell
from contend.harness.errors import BadInputError
from contend.harness.plan.implied import implied
from contend.harness.plan.options import Option, options
from contend.harness.plan.request import ALL, DEFAULT, HINTS, Request
from contend.harness.plan.setting import Setting, shown
from contend.harness.plan.settings_environment import read_environment
from contend.harness.plan.settings_file import read_nearest
from contend.harness.plan.settings_in_force import in_force, with_settings

P = ParamSpec("P")
R = TypeVar("R")

ALL_OPTIONS = tuple(options(Request))
"""Names of all options of a request, in the order of the help."""
SHARED_OPTIONS = tuple(name for name, option in options(Request).items() if not option.run_only)
"""Those that other commands than ``contend run`` take, too."""
_ISOLATED = "isolated"


def _files(paths: tuple[str, ...]) -> tuple[str, ...]:
    """The files, standard input as a copy: measuring processes cannot read that."""
    from contend.outside_files import file_of, reason

    try:
        return tuple(map(file_of, paths))
    except (OSError, EOFError) as error:
        raise BadInputError(f"standard input: cannot be read: {reason(error)}") from None


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
    from_settings : frozenset of str
        Which of the command's options settings may say where the command line does not.

    Attributes
    ----------
    settings : tuple of Setting
        Those in force in the request that was made last.
    """

    def __init__(
        self,
        said: Mapping[str, Any],
        given: frozenset[str],
        kind: type[Request],
        from_settings: frozenset[str] = frozenset(),
    ) -> None:
        self._said = said
        self._given = given
        self._kind = kind
        self._from_settings = from_settings
        self.settings: tuple[Setting, ...] = ()

    def value(self, name: str) -> Any:
        """Value of an option, as `Request` takes it; None where it was not given.

        Raises
        ------
        BadInputError
            If it cannot be read.
        """
        if name not in self._said:
            return None
        found = options(self._kind)[name].type.read(self._said[name])
        return _files(found) if name == "blocks" else found

    def request(self, **decided: Any) -> Request:
        """The request that they make, with the settings in force.

        Parameters
        ----------
        **decided
            Fields that the command decides, whatever its options say.

        Raises
        ------
        BadInputError
            If an option or a setting cannot be read or is refused.
        """
        said = {name: self.value(name) for name in self._said} | decided
        self.settings = self._settings(said)
        with self.naming_sources():
            values = with_settings(self.settings, said)
            return self._kind(**implied(values, self._kind) | values)

    def _settings(self, said: Mapping[str, Any]) -> tuple[Setting, ...]:
        if not self._from_settings:
            return ()
        # Options that this command does not take may be there for others, but not with values that cannot be.
        known = options(self._kind)
        found = [*read_nearest(Path.cwd(), known), *read_environment(os.environ, known)]
        return tuple(in_force([one for one in found if one.name in self._from_settings], said))

    @contextmanager
    def naming_sources(self) -> Iterator[None]:
        """Add to a complaint about what a setting says where that is from: nobody sees it on the command line.

        Raises
        ------
        BadInputError
            In place of the one raised within.
        """
        try:
            yield
        except BadInputError as error:
            text = str(error)
            blamed = [
                f"{one.option.key} {one.text} is from {one.source}"
                for one in self.settings
                if one.source not in text and _speaks_of(text, one)
            ]
            raise BadInputError(f"{text} [{'; '.join(blamed)}]" if blamed else text) from error

    def first_given(self) -> str | None:
        """The option of those given that comes first in the help; None if none was given."""
        return next((option.flags[0] for name, option in options(self._kind).items() if name in self._given), None)


def _speaks_of(complaint: str, setting: Setting) -> bool:
    named = any(f"'{value}'" in complaint for value in setting.text.replace(",", " ").split())
    return named or complaint.startswith((f"{setting.option.title}:", f"{setting.option.title},"))


def tell_settings(settings: Sequence[Setting], quiet: bool) -> None:
    """Say in one line which settings hold and where they are from."""
    if settings and not quiet:
        tell(f"settings: {shown(settings)}")


class RequestOption(click.Option):
    """An option of a command that is one of a request, and not one of the command's own."""

    def shell_complete(self, context: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the last of several names; everything else as click does."""
        if self.name not in ("strategies", "workloads", "hints"):
            return super().shell_complete(context, incomplete)
        if self.name == "hints":
            return _completed(HINTS, incomplete)
        from contend.strategies import registry as strategies
        from contend.workloads import registry as workloads

        every = (
            strategies.names(variants=True)
            if self.name == "strategies"
            else [*workloads.names(), *workloads.ON_REQUEST]
        )
        return _completed((*every, ALL, DEFAULT), incomplete)


def _completed(known: Sequence[str], incomplete: str) -> list[CompletionItem]:
    before, comma, last = incomplete.rpartition(",")
    return [CompletionItem(f"{before}{comma}{name}") for name in known if name.startswith(last)]


def request_options(
    *names: str, kind: type[Request] | None = None, settings: bool = True, **changes: Mapping[str, Any]
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Give a command options of a request; it takes ``asked``, an `Asked`, for all of them.

    Parameters
    ----------
    *names : str
        Fields of the request, in the order of the help.
    kind : type, optional
        `Request`, which is the default, or a dataclass derived from it.
    settings : bool
        Whether settings (of a file, of the environment) say what is not given, where the command means by an option
        what all mean; it then has an option ``--isolated``, too.
    **changes : mapping
        By name: attributes of `click.option` that differ for this command. A ``default`` is what the option says if it
        is not given; ``help`` is without the default, which is added, unless ``default_text`` says it. Such an option
        has a meaning of its own, and takes nothing from settings.
    """
    asked_for = kind or Request
    from_settings = frozenset(name for name in names if settings and name not in changes)

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def command(*args: P.args, **kwargs: P.kwargs) -> R:
            read: dict[str, Any] = {name: kwargs.pop(name) for name in names}
            isolated = kwargs.pop(_ISOLATED, True)
            source = click.get_current_context().get_parameter_source
            given = frozenset(name for name in names if source(name) is ParameterSource.COMMANDLINE)
            own = {name for name, one in changes.items() if "default" in one}
            said = {name: value for name, value in read.items() if name in given or name in own}
            kwargs["asked"] = Asked(said, given, asked_for, frozenset() if isolated else from_settings)
            return function(*args, **kwargs)

        if from_settings:
            command = click.option(
                f"--{_ISOLATED}",
                _ISOLATED,
                is_flag=True,
                help="Take no defaults from contend.toml, pyproject.toml and environment variables.",
            )(command)
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
    if kind.is_flag:
        usual = {"is_flag": True, "help": option.help}
    attributes = usual | changes
    if default_text is None:
        default_text = "" if changes.get("required") else str(changes.get("default", option.default_text))
    if default_text:
        attributes["help"] += f"  [default: {default_text}]"
    return attributes

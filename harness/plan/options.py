"""Options: the one declaration of what a request can say, from which all who ask, keep or document it take theirs.

An `Option` is the value of a field of a dataclass (`harness.plan.request.Request`) and a descriptor: what the
constructor is given goes through the option's type, and what is kept is what the field then has. So the type checker
knows both sides, too: `Option[str | Iterable[str], tuple[str, ...]]` takes a name and holds a tuple.

From the options come the command line (`harness.commands.options`), the keys of settings files and the environment
variables that hold defaults (`harness.plan.settings`), the parameters of `contend.run`, the key ``request`` of a record
and its JSON Schema, the command line by which a report says how to measure again, and ``docs/options.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from copy import copy
from dataclasses import MISSING, fields
from inspect import Parameter, Signature, formatannotation, getattr_static
from textwrap import indent, wrap
from typing import Any, Generic, get_args, get_type_hints, overload

from contend.harness.plan.option_types import Given, Kept, OptionType

VARIABLE_PREFIX = "CONTEND_"


class Option(Generic[Given, Kept]):
    """One option of a request.

    Parameters
    ----------
    default : object
        What the constructor takes for granted.
    type : OptionType
    *flags : str
        On the command line, the long one first.
    meaning : str
        What it is, as a sentence without its full stop; true on the command line, in Python and in a record.
    metavar : str, optional
        What the value is called in the help of commands.
    on_command_line, in_python, in_record : str, optional
        How it is said there, which follows the meaning after a colon.
    default_text : str, optional
        The default in words, where it is not just the value.
    added_later : bool
        Whether there are records of the current version without it.
    run_only : bool
        Whether only ``contend run`` takes it.
    contradicts : tuple of str
        Names of options that cannot be given with it, to either of which it is enough to say so.
    applies : callable, optional
        Of what is asked for, by name of an option, whether there is any use for this one. A setting for which there is
        none gives way; always, by default.
    for_client : bool
        Whether it is the client's business alone, of which those that measure need not know.
    """

    def __init__(
        self,
        default: Given,
        type: OptionType[Given, Kept],
        *flags: str,
        meaning: str,
        metavar: str | None = None,
        on_command_line: str = "",
        in_python: str = "",
        in_record: str = "",
        default_text: str = "",
        added_later: bool = False,
        run_only: bool = False,
        contradicts: tuple[str, ...] = (),
        applies: Callable[[Mapping[str, Any]], bool] = lambda asked: True,
        for_client: bool = False,
    ) -> None:
        self.name = ""
        self.default = default
        self.type = type
        self.flags = flags
        self.meaning = meaning
        self.metavar = metavar
        self.on_command_line = on_command_line
        self.in_python = in_python
        self.in_record = in_record
        plain = isinstance(default, int | float | str) and not isinstance(default, bool)
        self.default_text = default_text or (str(default) if plain else "")
        self.added_later = added_later
        self.run_only = run_only
        self.contradicts = contradicts
        self.applies = applies
        self.for_client = for_client

    def but(self, *, meaning: str, default: Given | None = None) -> Option[Given, Kept]:
        """The same option for a request of another kind, which means something else by it.

        Parameters
        ----------
        meaning : str
            Said alike on the command line and in Python.
        default : object, optional
            The same if left out.
        """
        changed = copy(self)
        changed.meaning, changed.on_command_line, changed.in_python = meaning, "", ""
        if default is not None:
            changed.default, changed.default_text = default, str(default)
        return changed

    def __set_name__(self, owner: object, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: object) -> Given: ...
    @overload
    def __get__(self, instance: object, owner: object) -> Kept: ...
    def __get__(self, instance: object | None, owner: object) -> Given | Kept:
        # The dataclass takes the default of the field from here; `options` looks for the option itself.
        if instance is None:
            return self.default
        kept: Kept = vars(instance)[self.name]
        return kept

    def __set__(self, instance: object, value: Given) -> None:
        vars(instance)[self.name] = self.type.keep(self.title, value)

    @property
    def title(self) -> str:
        """Name of the option in complaints, such as ``block size``."""
        return self.name.replace("_", " ")

    @property
    def key(self) -> str:
        """Name in settings files, such as ``block-size``."""
        return self.flags[0].removeprefix("--")

    @property
    def variable(self) -> str:
        """Environment variable that holds a default, such as ``CONTEND_BLOCK_SIZE``."""
        return VARIABLE_PREFIX + self.key.replace("-", "_").upper()

    def words(self, kept: Any) -> list[str]:
        """What the command line says for a value that is kept."""
        texts = self.type.write(kept)
        return [word for text in texts for word in (self.flags[0], *([] if self.type.is_flag else [text]))]

    @property
    def help(self) -> str:
        """Help text of the option, without the default."""
        return _sentence(self.meaning, self.on_command_line) + (" Repeatable." if self.type.repeatable else "")

    @property
    def schema(self) -> dict[str, Any]:
        """JSON Schema of its value in a record."""
        text = _sentence(self.meaning, self.in_record).removesuffix(".")
        return {**self.type.schema, "description": text[0].lower() + text[1:]}


def options(request: type) -> dict[str, Option[Any, Any]]:
    """Options of a dataclass by name, in the order of its fields; fields that are none are left out."""
    found = {field.name: getattr_static(request, field.name, None) for field in fields(request)}
    return {name: one for name, one in found.items() if isinstance(one, Option)}


def record_schema(request: type) -> dict[str, Any]:
    """JSON Schema of a request as a record keeps it."""
    declared = options(request)
    return {
        "type": "object",
        "required": [name for name, option in declared.items() if not option.added_later],
        "additionalProperties": False,
        "properties": {name: option.schema for name, option in declared.items()},
    }


def signature(request: type) -> Signature:
    """Signature of the constructor, by what it may be given; also that of a function that takes the same."""
    return Signature(
        [
            Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=annotation)
            for name, default, annotation in _parameters(request)
        ]
    )


def parameters_section(request: type, without: Collection[str] = ()) -> str:
    """The options, but for some, as entries of a numpydoc section ``Parameters``."""
    declared, entries = options(request), []
    for name, default, annotation in _parameters(request):
        if name not in declared or name in without:
            continue
        option = declared[name]
        kind = type_text(annotation)
        after = f"default {option.default!r}" if default is not None and option.default_text else "optional"
        text = _sentence(option.meaning, option.in_python)
        if option.default_text and after == "optional":
            text += f" By default {option.default_text}."
        entries.append(
            f"{name} : {kind}, {after}\n" + indent("\n".join(wrap(text, 108, break_on_hyphens=False)), "    ")
        )
    return "\n".join(entries)


def type_text(annotation: Any) -> str:
    """An annotation as documentation shows it: no modules, and no None, which ``optional`` says."""
    parts = [part for part in get_args(annotation) if part is not type(None)] if _is_union(annotation) else [annotation]
    text = " or ".join(formatannotation(part) for part in parts)
    for module in ("collections.abc.", "pathlib._local.", "pathlib."):
        text = text.replace(module, "")
    return text


def _parameters(request: type) -> Iterator[tuple[str, Any, Any]]:
    """Name, default and type of what the constructor may be given."""
    hints, declared = get_type_hints(request), options(request)
    for field in fields(request):
        default = Parameter.empty if field.default is MISSING else field.default
        yield field.name, default, get_args(hints[field.name])[0] if field.name in declared else hints[field.name]


def _is_union(annotation: Any) -> bool:
    return type(None) in get_args(annotation) or "|" in str(annotation).partition("[")[0]


def _sentence(meaning: str, form: str) -> str:
    return f"{meaning}: {form}." if form else f"{meaning}."

"""Types of options: how a value is read from text, checked, kept, written as text again, and described in a record.

Text, TOML and Python say the same in different forms: ``--workers 1,2`` is ``workers = [1, 2]`` in a settings file and
``workers=[1, 2]`` in Python. All meet in `OptionType.keep`, which refuses what is wrong by the option's name, so that a
value is checked in one place wherever it comes from.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from contend.harness.errors import BadInputError
from contend.harness.plan import toml_values

Given = TypeVar("Given")
Kept = TypeVar("Kept")
DialValue = int | float | str
Names = str | Iterable[str] | None
Counts = int | Iterable[int] | None
PathLike = str | Path
Cores = int | str | Iterable[int] | None
Sweep = tuple[str, tuple[DialValue, ...]]

MAX_WORKERS = 1_024
NO_HOSTS = ("auto", "local")
"""Words that stand for an address: of the cluster that this machine is part of, and of one of this machine alone."""
# What Python takes for digits is more, and more of them than it makes a number of.
_COUNT = re.compile("[0-9]{1,9}")
_ADDRESS = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\]):[0-9]{1,5}")
_DURATION = re.compile(r"(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9}(?:\.[0-9]{1,9})?)s?)?")


@dataclass(frozen=True)
class OptionType(Generic[Given, Kept]):
    """Type of an option's values.

    Attributes
    ----------
    keep : callable
        Of the option's name and what Python was given: the value that is kept. Raises `BadInputError`.
    schema : mapping
        JSON Schema of the value in a record; references are those of ``record.schema.json``.
    read : callable
        From what click has read (`python`, or a tuple of it where `repeatable`) to what Python could have been given.
        Raises `BadInputError`.
    write : callable
        From what is kept to texts that click could read, one for each time that the option is given.
    python : type
        What click reads: str, int or float.
    choices : tuple of str
        All values that there are; empty where they are not listed.
    repeatable : bool
        Whether the command line may give the option several times.
    plain : callable
        Of a name and a value of a settings file that is no text, such as a list: what Python could have been given.
        Raises `BadInputError`.
    """

    keep: Callable[[str, Given], Kept]
    schema: Mapping[str, Any]
    read: Callable[[Any], Given] = lambda value: value
    write: Callable[[Kept], tuple[str, ...]] = lambda value: (str(value),)
    python: type = str
    choices: tuple[str, ...] = ()
    repeatable: bool = False
    plain: Callable[[str, Any], Given] = toml_values.no_text

    @property
    def is_flag(self) -> bool:
        """Whether the command line gives the option without a value."""
        return self.python is bool

    def parse(self, name: str, text: str) -> Given:
        """What Python could have been given, from a text that stands for the whole option, such as a variable's.

        Several values of a repeatable option are separated by spaces, quoted as in a shell.

        Raises
        ------
        BadInputError
            If it cannot be read, by `name`.
        """
        said: Any
        try:
            said = tuple(shlex.split(text)) if self.repeatable else (_truth if self.is_flag else self.python)(text)
        except ValueError as error:
            kinds = {int: "not a whole number", float: "not a number", bool: "neither true nor false"}
            raise BadInputError(f"{name}: {text!r} is {kinds.get(self.python, str(error).lower())}") from None
        return self.read(said)

    def from_toml(self, name: str, value: Any) -> Given:
        """What Python could have been given, from a value of a settings file.

        Raises
        ------
        BadInputError
            If it is of another kind, by `name`.
        """
        if isinstance(value, str):
            return self.read((value,)) if self.repeatable else self.parse(name, value)
        return self.plain(name, value)


def whole_number(low: int, high: int) -> OptionType[int, int]:
    """Type of an option that is a whole number from `low` to `high`, both included."""

    def keep(name: str, value: int) -> int:
        return _in_range(name, value, low, high)

    # Whatever is no whole number, `keep` refuses.
    return OptionType(keep, {"type": "integer", "minimum": low}, python=int, plain=lambda _, value: value)


def number(low: float, high: float) -> OptionType[float, float]:
    """Type of an option that is a number from `low` to `high`, both included."""

    def keep(name: str, value: float) -> float:
        if not low <= value <= high:
            raise BadInputError(f"{name}: {value:g} is out of range; give a number from {low:g} to {high:g}")
        return float(value)

    return OptionType(keep, {"type": "number", "minimum": low}, python=float, plain=toml_values.number)


def choice(*words: str) -> OptionType[str, str]:
    """Type of an option that is one of these words."""

    def keep(name: str, value: str) -> str:
        if value not in words:
            raise BadInputError(f"{name}: {value!r} is not known; choose one of {', '.join(words)}")
        return value

    return OptionType(keep, {"enum": list(words)}, choices=words)


def several(*words: str) -> OptionType[Names, tuple[str, ...]]:
    """Type of an option that is some of these words, each once, ``all`` for all; empty where nothing is said."""

    def keep(name: str, values: Names) -> tuple[str, ...]:
        kept = _keep_names(name, values)
        if "all" in kept:
            return words
        for value in kept:
            if value not in words:
                from contend.workloads.suggest import nearest

                raise BadInputError(
                    f"{name}: {value!r} is not known{nearest(value, words)}; choose from {', '.join(words)}, or all"
                )
        return kept

    schema = {"type": "array", "items": {"enum": list(words)}}
    return OptionType(keep, schema, read=parse_names, write=_write_names, plain=_plain_names)


def unique(values: Iterable[Any]) -> tuple[Any, ...]:
    """Keep the values in their order, each once."""
    return tuple(dict.fromkeys(values))


def parse_names(text: str) -> tuple[str, ...]:
    """Comma-separated names.

    Raises
    ------
    BadInputError
        If there is no name among the commas.
    """
    names = unique(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise BadInputError(f"{text!r} names nothing; give names separated by commas, or leave the option out")
    return names


def parse_workers(text: str) -> tuple[int, ...]:
    """Comma-separated worker counts, such as ``1,2,4``; ``...`` goes on in the same ratio or steps, as in 1,2,...,64.

    Raises
    ------
    BadInputError
        If a part is neither a whole number nor three dots between numbers.
    """
    parts = [part.strip() for part in text.split(",")]
    counts: list[int] = []
    for place, part in enumerate(parts):
        if part == "...":
            counts += _filled(text, counts, parts[place + 1 :])
            continue
        try:
            counts.append(int(part))
        except ValueError:
            raise BadInputError(
                f"workers: {part!r} in {text!r} is not a positive whole number; give for instance 1,2"
            ) from None
    return unique(counts)


def _filled(text: str, before: list[int], after: list[str]) -> list[int]:
    """Worker counts that three dots stand for: those between the last two before them and the one behind."""
    if len(before) < 2 or not after or not _COUNT.fullmatch(after[0]):
        raise BadInputError(f"workers: '...' in {text!r} needs two counts before it and one behind, as in 1,2,...,64")
    first, second, last = before[-2], before[-1], int(after[0])
    # A doubling is a ratio: 1,2,...,64 has always meant powers of two.
    ratio = second // first if first > 0 and second % first == 0 else 0
    found: list[int] = []
    count = second
    while ratio > 1 or second > first:
        count = count * ratio if ratio > 1 else count + second - first
        if count >= last or len(found) > MAX_WORKERS:
            break
        found.append(count)
    return found


def parse_dials(settings: Iterable[str]) -> dict[str, DialValue]:
    """``name=value`` settings; a value is a whole number, a number or a text, whichever it reads as first.

    Raises
    ------
    BadInputError
        If a setting has no name or no value, or gives a dial another value than one before.
    """
    dials: dict[str, DialValue] = {}
    for setting in settings:
        name, equals, value = (part.strip() for part in setting.partition("="))
        if not (name and equals and value):
            raise BadInputError(f"--set {setting}: not of the form dial=value, for instance pools=1")
        if dials.get(name, parse_value(value)) != parse_value(value):
            raise BadInputError(f"--set {name}: given twice, as {dials[name]} and as {value}; leave one out")
        dials[name] = parse_value(value)
    return dials


def parse_sweep(text: str) -> Sweep:
    """``dial=value,value,...``.

    Raises
    ------
    BadInputError
        If there is no dial, or fewer than two values.
    """
    name, equals, values = (part.strip() for part in text.partition("="))
    found = unique(parse_value(value.strip()) for value in values.split(",") if value.strip())
    if not (name and equals and len(found) > 1):
        raise BadInputError(f"--sweep {text}: not of the form dial=value,value,..., for instance pools=1,10,100")
    return name, found


def parse_value(text: str) -> DialValue:
    """Read a whole number, a number, or the text itself."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            # Not of this kind: the next one may read it, and any text is a text.
            continue
    return text


def parse_duration(name: str, text: str) -> float:
    """Seconds of a text such as ``90``, ``90s``, ``5m`` or ``1h30m``.

    Raises
    ------
    BadInputError
        If it is none of these.
    """
    found = _DURATION.fullmatch(text.strip())
    if found is None or not any(found.groups()):
        raise BadInputError(f"{name}: {text!r} is no length of time; give for instance 90s, 5m or 1h30m")
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return 3_600 * hours + 60 * minutes + seconds


def parse_cores(name: str, text: str) -> tuple[int, ...]:
    """Numbers of cores, such as ``0,2`` or ``0-3,8``.

    Raises
    ------
    BadInputError
        If a part is neither a number nor a range of numbers.
    """
    cores: list[int] = []
    for part in text.split(","):
        first, dash, last = (end.strip() for end in part.partition("-"))
        are_numbers = _COUNT.fullmatch(first) and (not dash or _COUNT.fullmatch(last))
        if not are_numbers or int(last or first) - int(first) >= MAX_WORKERS:
            raise BadInputError(f"{name}: {part!r} in {text!r} is no core; give numbers as in 0,2 or 0-3")
        cores += range(int(first), int(last or first) + 1)
    return unique(cores)


def _in_range(name: str, value: object, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadInputError(f"{name}: {value!r} is not a whole number; give one from {low} to {high}")
    if not low <= value <= high:
        raise BadInputError(f"{name}: {value} is out of range; give a whole number from {low} to {high}")
    return value


def _keep_names(_: str, names: Names) -> tuple[str, ...]:
    return () if names is None else unique([names] if isinstance(names, str) else names)


def _keep_address(title: str, text: str | None) -> str | None:
    if text is not None and text not in NO_HOSTS and not _ADDRESS.fullmatch(text):
        raise BadInputError(f"{title}: {text!r} is no address; give HOST:PORT, or {' or '.join(NO_HOSTS)}")
    return text


def _keep_name(name: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise BadInputError(f"{name}: {value!r} is no name")
    return value


def _keep_counts(name: str, counts: Counts) -> tuple[int, ...]:
    """The counts; none stand for the default, which depends on the clock."""
    if counts is None:
        return ()
    kept = tuple(_in_range(name, count, 1, MAX_WORKERS) for count in ([counts] if isinstance(counts, int) else counts))
    if not kept:
        raise BadInputError(f"{name}: name at least one worker count, for instance 1,2")
    return unique(kept)


def _keep_paths(_: str, paths: PathLike | Iterable[PathLike]) -> tuple[str, ...]:
    return tuple(str(path) for path in ([paths] if isinstance(paths, str | Path) else paths))


def _keep_seconds(name: str, seconds: float) -> float:
    if not 0 < seconds < float("inf"):
        raise BadInputError(f"{name}: {seconds} is not a positive number of seconds")
    return seconds


def _keep_rate(name: str, rate: float | None) -> float | None:
    if rate is not None and not 0 < rate < float("inf"):
        raise BadInputError(f"{name}: {rate} is not a positive number")
    return rate


def _keep_duration(name: str, value: float | str | None) -> float | None:
    if value is None:
        return None
    seconds = parse_duration(name, value) if isinstance(value, str) else value
    return _keep_rate(name, toml_values.number(name, seconds))


def _keep_cores(name: str, cores: Cores) -> tuple[int, ...]:
    """The cores; none stand for all that there are."""
    if cores is None or cores == ():
        return ()
    numbers = parse_cores(name, cores) if isinstance(cores, str) else [cores] if isinstance(cores, int) else cores
    kept = tuple(_in_range(name, core, 0, MAX_WORKERS) for core in numbers)
    return tuple(sorted(set(kept)))


def _write_names(names: tuple[str, ...]) -> tuple[str, ...]:
    return (",".join(names),) if names else ()


def _write_sweep(sweep: Sweep | None) -> tuple[str, ...]:
    return () if sweep is None else (f"{sweep[0]}={','.join(map(str, sweep[1]))}",)


def _write_dials(dials: Mapping[str, DialValue]) -> tuple[str, ...]:
    return tuple(f"{name}={value}" for name, value in dials.items())


def _truth(text: str) -> bool:
    """Read a flag as variables have it."""
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if text.strip().lower() not in words:
        raise ValueError(text)
    return words[text.strip().lower()]


def _plain_names(name: str, value: Any) -> Names:
    return [one for part in toml_values.texts(name, value, '["swaps", "nft"]') for one in parse_names(part)]


def _plain_counts(name: str, value: Any) -> Counts:
    # Texts among them may have the three dots.
    if isinstance(value, list) and any(isinstance(one, str) for one in value):
        return parse_workers(",".join(map(str, value)))
    return toml_values.counts(name, value)


def _plain_dials(name: str, value: Any) -> Mapping[str, DialValue]:
    if isinstance(value, list):
        return parse_dials(toml_values.texts(name, value, '["pools=1"]'))
    return toml_values.dials(name, value)


NAMES: OptionType[Names, tuple[str, ...]] = OptionType(
    _keep_names,
    {"type": "array", "items": {"type": "string"}},
    read=parse_names,
    write=_write_names,
    plain=_plain_names,
)
COUNTS: OptionType[Counts, tuple[int, ...]] = OptionType(
    _keep_counts,
    {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 1},
    read=parse_workers,
    write=lambda counts: (",".join(map(str, counts)),),
    plain=_plain_counts,
)
DIALS: OptionType[Mapping[str, DialValue] | None, Mapping[str, DialValue]] = OptionType(
    lambda _, dials: dict(dials or {}),
    {"$ref": "#/$defs/dials"},
    read=parse_dials,
    write=_write_dials,
    repeatable=True,
    plain=_plain_dials,
)
SWEEP: OptionType[tuple[str, Iterable[DialValue]] | None, Sweep | None] = OptionType(
    lambda _, sweep: None if sweep is None else (sweep[0], unique(sweep[1])),
    {"type": ["array", "null"]},
    read=parse_sweep,
    write=_write_sweep,
    plain=toml_values.sweep,
)
PATHS: OptionType[PathLike | Iterable[PathLike], tuple[str, ...]] = OptionType(
    _keep_paths,
    {"type": "array", "items": {"type": "string"}},
    write=lambda paths: paths,
    repeatable=True,
    plain=lambda name, value: toml_values.texts(name, value, '["block.json"]'),
)
PATH: OptionType[PathLike | None, str | None] = OptionType(
    lambda _, path: None if path is None else str(path), {"type": ["string", "null"]}
)
ADDRESS: OptionType[str | None, str | None] = OptionType(_keep_address, {"type": ["string", "null"]})
TEXT: OptionType[str | None, str | None] = OptionType(lambda _, text: text, {"type": ["string", "null"]})
NAME: OptionType[str, str] = OptionType(_keep_name, {"type": "string"})
SECONDS: OptionType[float, float] = OptionType(
    _keep_seconds, {"type": "number", "exclusiveMinimum": 0}, python=float, plain=toml_values.number
)
RATE: OptionType[float | None, float | None] = OptionType(
    _keep_rate, {"type": ["number", "null"]}, python=float, plain=toml_values.number
)
DURATION: OptionType[float | str | None, float | None] = OptionType(
    _keep_duration,
    {"type": ["number", "null"]},
    write=lambda seconds: () if seconds is None else (f"{seconds:g}s",),
    plain=toml_values.number,
)
CORES: OptionType[Cores, tuple[int, ...]] = OptionType(
    _keep_cores,
    {"type": "array", "items": {"type": "integer", "minimum": 0}},
    write=lambda cores: (",".join(map(str, cores)),) if cores else (),
    plain=toml_values.counts,
)
FLAG: OptionType[bool, bool] = OptionType(
    toml_values.flag,
    {"type": "boolean"},
    write=lambda given: ("",) if given else (),
    python=bool,
    plain=toml_values.flag,
)

"""Settings in environment variables: ``CONTEND_WORKERS=1,2`` is a default for ``--workers``.

Every option has one, ``CONTEND_`` and its name. What else begins so belongs to others (a cache, the asv suite, a
plug-in) and is left alone, unless it is so near to an option that it must be a slip.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from functools import partial
from typing import Any

from contend.harness.errors import BadInputError
from contend.harness.plan.options import VARIABLE_PREFIX, Option
from contend.harness.plan.setting import FROM_ENVIRONMENT, Setting, checked

_OTHERS = ("CONTEND_CACHE_DIR", "CONTEND_DATA_DIR", "CONTEND_RPC")
_OTHERS_PREFIX = "CONTEND_SUITE_"
# Of the part behind the prefix: `STRATEGIES` for STRATEGY, `WORKER` for WORKERS.
_NEAR = 0.75


def read_environment(environment: Mapping[str, str], known: Mapping[str, Option[Any, Any]]) -> list[Setting]:
    """Settings of environment variables; one that is empty says nothing.

    Parameters
    ----------
    environment : mapping
    known : mapping
        All options by name of their field.

    Raises
    ------
    BadInputError
        If a value is refused, by the variable, or a variable is nearly that of an option.
    """
    _refuse_slips(environment, known)
    settings = []
    for option in known.values():
        name = option.variable
        text = environment.get(name, "")
        if text:
            value = checked(option, name, name, partial(option.type.parse, name, text))
            settings.append(Setting(option, value, name, FROM_ENVIRONMENT))
    return settings


def _refuse_slips(environment: Mapping[str, str], known: Mapping[str, Option[Any, Any]]) -> None:
    variables = {option.variable.removeprefix(VARIABLE_PREFIX): option.variable for option in known.values()}
    # The name in Python is the likeliest mistake.
    variables |= {name.upper(): option.variable for name, option in known.items()}
    own = {option.variable for option in known.values()}
    for name in sorted(environment):
        if not name.startswith(VARIABLE_PREFIX) or name.startswith(_OTHERS_PREFIX) or name in own or name in _OTHERS:
            continue
        near = get_close_matches(name.removeprefix(VARIABLE_PREFIX), variables, n=1, cutoff=_NEAR)
        if near:
            raise BadInputError(f"{name}: is no option's variable (did you mean {variables[near[0]]!r}?)")

"""Inner names: modules of Contend that are its own affair, and what to say to a plug-in that imports one of them.

Below all rooms: these refuse to be imported from the top level, where earlier versions had them, and both registries of
plug-ins, and a run in which one imports something late, explain why an import failed.
"""

from __future__ import annotations

# The rooms: packages inside `contend`, which earlier versions had at the top level.
ROOMS = frozenset({"evm", "strategies", "node", "workloads", "harness"})
HINT = "plug-ins import from contend.plugin and contend.testing (docs/plugins.md says what became of each name)"


def refuse_top_level(module: str) -> None:
    """Have a room refuse to be loaded from the top level, where the project's folder is on the import path.

    Every module would be there twice, and no class of one would be a class of the other.

    Parameters
    ----------
    module : str
        Full name under which the room is being imported.

    Raises
    ------
    ModuleNotFoundError
        If that is not within `contend`, as for a room that is not there.
    """
    if module in ROOMS:
        raise ModuleNotFoundError(f"No module named {module!r} (it is contend.{module})", name=module)


def import_failure(error: BaseException) -> str:
    """Say why a plug-in cannot be imported.

    Parameters
    ----------
    error : BaseException
        What its import has raised.

    Returns
    -------
    str
        One line, with a `hint` where there is one.
    """
    return f"{type(error).__name__}: {' '.join(str(error).split())}".removesuffix(": ") + hint(error)


def hint(error: BaseException) -> str:
    """What to add to an error's text: that names are in `contend.plugin`; nothing where that is not what is wrong.

    It is where an import failed for want of a module of Contend, or of a name in one.
    """
    if not isinstance(error, ImportError) or error.name is None:
        return ""
    return f"; {HINT}" if error.name.removeprefix("contend.").partition(".")[0] in ROOMS else ""

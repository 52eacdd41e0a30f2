"""Time limit of a call that cannot be interrupted.

Compiled code cannot be interrupted: it asks nobody whether it should go on, since that would cost every honest block
something. So what may run for longer than anybody waits runs on a thread of its own, and who is tired of waiting leaves
it behind. It ends with the process.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def within(seconds: float, call: Callable[[], T]) -> T:
    """Result of a call that may take only so long. Ctrl-C is heard meanwhile.

    Parameters
    ----------
    seconds : float
    call : callable
        It must not use anything of the caller's after that time: it may still be running.

    Raises
    ------
    TimeoutError
        If it takes longer.
    """
    answers: queue.SimpleQueue[tuple[T, None] | tuple[None, BaseException]] = queue.SimpleQueue()

    def answer() -> None:
        try:
            answers.put((call(), None))
        # Whatever it is, the caller has to see it.
        except BaseException as error:
            answers.put((None, error))

    threading.Thread(target=answer, name="watched", daemon=True).start()
    try:
        found, error = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"no result within {seconds:g} s") from None
    if error is not None:
        raise error
    return found  # type: ignore[return-value]  # None only beside an error, or where the call returns it

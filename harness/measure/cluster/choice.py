"""Choice of what measures a request: this machine, or a cluster where one was asked for."""

from __future__ import annotations

from typing import Any

from contend.harness.measure.executor import Executor, LocalExecutor
from contend.harness.observer import Observer
from contend.harness.plan.request import Request


def executor_for(request: Request, observer: Observer, **more: Any) -> Executor:
    """Make what measures a request.

    Parameters
    ----------
    request : Request
    observer : Observer
    **more : object
        As `contend.harness.measure.executor.LocalExecutor` takes it.

    Raises
    ------
    BadInputError
        If a cluster was asked for, and Ray is not installed.
    """
    if request.cluster is None:
        return LocalExecutor(request, observer, **more)
    from contend.harness.measure.cluster.cluster_executor import ClusterExecutor

    return ClusterExecutor(request, observer, **more)

"""The scheduler's kernels, to be called from Python with the addresses of the structs that they work on."""

from __future__ import annotations

from contend.evm.runtime.jit import kernel
from contend.strategies.block_stm import scheduler
from contend.strategies.block_stm.layout import SHARED, WORKER


@kernel()
def next_task(shared, worker):  # type: ignore[no-untyped-def]  # a kernel, as all below
    return scheduler.next_task(SHARED.at(shared), WORKER.at(worker))


@kernel()
def next_version_to_execute(shared, worker):  # type: ignore[no-untyped-def]
    return scheduler.next_version_to_execute(SHARED.at(shared), WORKER.at(worker))


@kernel()
def next_version_to_validate(shared, worker):  # type: ignore[no-untyped-def]
    return scheduler.next_version_to_validate(SHARED.at(shared), WORKER.at(worker))


@kernel()
def check_done(shared):  # type: ignore[no-untyped-def]
    scheduler.check_done(SHARED.at(shared))


@kernel()
def add_dependency(shared, worker, blocking_txn_idx):  # type: ignore[no-untyped-def]
    scheduler.add_dependency(SHARED.at(shared), WORKER.at(worker), blocking_txn_idx)


@kernel()
def has_final_prefix(shared, txn_idx):  # type: ignore[no-untyped-def]
    return scheduler.has_final_prefix(SHARED.at(shared), txn_idx)


@kernel()
def finish_execution(shared, worker, wrote_new_location):  # type: ignore[no-untyped-def]
    scheduler.finish_execution(SHARED.at(shared), WORKER.at(worker), wrote_new_location)


@kernel()
def try_validation_abort(shared, worker):  # type: ignore[no-untyped-def]
    return scheduler.try_validation_abort(SHARED.at(shared), WORKER.at(worker))


@kernel()
def finish_validation(shared, worker, aborted):  # type: ignore[no-untyped-def]
    scheduler.finish_validation(SHARED.at(shared), WORKER.at(worker), aborted)

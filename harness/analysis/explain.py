"""Explanation of a block (``contend explain``): its conflict profile, and what each strategy's aborts were due to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contend.harness.errors import BadInputError, CrashError
from contend.harness.observer import Observer
from contend.harness.plan.chosen_model import use_model
from contend.harness.plan.clock_options import clock_maker, read_costs
from contend.harness.plan.request import ALL, DEFAULT, Request
from contend.harness.plan.resolve import BASELINE, CellKey, MeasurementPlan, one_line, resolve

if TYPE_CHECKING:
    from contend.evm import Block, Snapshot, State
    from contend.harness.analysis.conflicts import Profile
    from contend.harness.analysis.version_path import VersionPath
    from contend.harness.verify.knowledge import BlockKnowledge
    from contend.harness.verify.oracle.oracle import Oracle
    from contend.strategies.base import Outcome
    from contend.workloads.base import Scenario, Workload


class Explainer:
    """Explains one block.

    Parameters
    ----------
    request : Request
        Of one workload and one worker count.
    observer : Observer, optional
        Told about progress.

    Raises
    ------
    BadInputError
        If the request names another number of workloads or worker counts.
    """

    def __init__(self, request: Request, observer: Observer | None = None) -> None:
        if len(request.workloads) != 1 or request.workloads[0] in (ALL, DEFAULT):
            raise BadInputError("workload: name one, for instance --workload swaps (contend list shows them)")
        if len(request.workers) != 1:
            raise BadInputError("workers: name one count, for instance --workers 32")
        self._request = request
        self._observer = observer or Observer()

    def run(self) -> dict[str, Any]:
        """Build, record, name, execute by each strategy once, verified.

        Returns
        -------
        dict
            Plain data: see ``docs/bound.md``.

        Raises
        ------
        BadInputError
            If a name or dial is refused.
        CrashError
            If the workload cannot be built or executed.
        """
        plan = resolve(self._request)
        if len(plan.workloads) != 1:
            raise BadInputError(f"block: one block is explained; name one file, not {len(plan.workloads)}")
        self._observer.planned(plan, 1)
        from contend.evm.runtime.jit import on_compile

        with on_compile(self._compiling):
            return self._explain(plan)

    def _compiling(self, kernel: str, begins: bool, seconds: float) -> None:
        if begins:
            self._observer.compiling(0, kernel)
        else:
            self._observer.compiled(0, kernel, seconds)

    def _say(self, what: str) -> None:
        self._observer.stage(0, self._request.workloads[0], what)
        self._observer.tick()

    def _explain(self, plan: MeasurementPlan) -> dict[str, Any]:
        from contend.harness.analysis.conflicts import Profile
        from contend.harness.analysis.failed_transactions import failures
        from contend.harness.analysis.names import Namer
        from contend.harness.analysis.version_path import version_path
        from contend.harness.kernels import compile_lock
        from contend.harness.verify.knowledge import BlockKnowledge
        from contend.strategies.serial import Serial
        from contend.workloads import registry

        name, dials = plan.workloads[0].name, plan.workloads[0].dials
        self._say("building")
        workload = registry.get(name)()
        with compile_lock(BASELINE):
            scenario, block, oracle, snapshot, recording = self._lay_out(workload, dials)
        self._say("naming locations")
        state = scenario.genesis
        # The reference is run when it is first asked for; names are looked for in the state before the block.
        changes = oracle.reference.changes
        failed = failures(workload, scenario, block, oracle.reference.receipts)
        state.restore(snapshot)
        profile = Profile(recording, Namer(workload, scenario, block, recording, changes))
        path = version_path(recording, read_costs(self._request.costs).table)
        strategies = []
        knowledge = BlockKnowledge([block], state, Serial(), self._request.access_list)
        for key in plan.cells:
            if key.strategy != BASELINE or key in plan.reported:
                self._say(f"running {key}")
                with compile_lock(key.strategy):
                    strategies.append(self._strategy(key, block, state, snapshot, oracle, profile, path, knowledge))
                self._observer.measured(name, key, 1)
        return {
            "workload": name,
            "dials": dict(dials),
            "seed": self._request.seed,
            "block_size": self._request.block_size,
            "clock": self._request.clock,
            "transactions": len(block),
            "failed_transactions": int((oracle.reference.receipts.status != 1).sum()),
            "costs": read_costs(self._request.costs).digest,
            "failures": failed,
            **profile.as_json(),
            "version_path": {"picoseconds": path.picoseconds, "hops": path.hops, "work": path.work},
            "strategies": strategies,
        }

    def _lay_out(self, workload: Workload, dials: Any) -> tuple[Scenario, Block, Oracle, Snapshot, Any]:
        from contend.evm.drivers.recorder import record
        from contend.harness.verify.oracle.oracle import Oracle
        from contend.strategies.serial import Serial
        from contend.workloads.files.fields import FieldError

        try:
            scenario = workload.build(dials, self._request.seed, self._request.block_size)
            block, state = scenario.blocks[0], scenario.genesis
            snapshot = state.snapshot()
            self._say("recording access sets")
            oracle = Oracle(block, state, snapshot, Serial(), scenario.contracts)
            recording = record(block, state, read_costs(self._request.costs).table)
        except FieldError as error:
            raise BadInputError(one_line(error)) from error
        except Exception as error:
            what = f"building it and running it serially: {type(error).__name__}: {one_line(error)}"
            raise CrashError(f"workload {self._request.workloads[0]}: {what}") from error
        state.restore(snapshot)
        return scenario, block, oracle, snapshot, recording

    def _strategy(
        self,
        key: CellKey,
        block: Block,
        state: State,
        snapshot: Snapshot,
        oracle: Oracle,
        profile: Profile,
        path: VersionPath,
        knowledge: BlockKnowledge,
    ) -> dict[str, Any]:
        from contend.harness.analysis.contender_facts import given_by_name
        from contend.harness.verify.oracle.oracle import refusal
        from contend.strategies import registry
        from contend.strategies.adaptive.strategy import Adaptive
        from contend.strategies.clocks.base import PS_PER_SECOND
        from contend.strategies.given import TEMPLATE

        found: dict[str, Any] = {"strategy": key.strategy, "workers": key.workers, "error": None}
        try:
            state.restore(snapshot)
            with registry.get(key.strategy)() as strategy:
                use_model(strategy, self._request.model)
                strategy.clock = clock_maker(self._request)()
                strategy.knowledge = knowledge.of(0, strategy.given)
                found |= {"given": given_by_name(key.strategy, strategy, self._request.access_list)}
                outcome: Outcome = strategy.execute(block, state, key.workers)
                if isinstance(strategy, Adaptive) and strategy.last_choice is not None:
                    found["choice"] = {**strategy.last_choice.as_json(), "reasons": strategy.reasons()}
                differences = oracle.check(outcome, state.changes_since(snapshot))
        except Exception as error:
            return found | {"error": f"{type(error).__name__}: {one_line(error)}"}
        if differences:
            return found | {"error": refusal(differences)}
        found |= {"counters": {name: int(value) for name, value in outcome.counters.items()}}
        if found["given"]["source"] == TEMPLATE and not outcome.counters.get("templates"):
            # There is one block here, and none before it to learn from.
            found["given"]["learned"] = False
        # One run says nothing about real time: `contend run` repeats. Simulated time is what it is.
        found["seconds"] = outcome.seconds if self._request.simulated else None
        found["prepare_seconds"] = outcome.phases.get("prepare", 0.0) if self._request.simulated else None
        found["refused_list"] = outcome.refused_list
        schedule = profile.schedules.length(key.workers, found["given"]["values"])
        # Who has values waits for nobody, and one worker neither.
        waits = self._request.simulated and key.workers > 1 and not found["given"]["values"]
        found["hop_picoseconds"] = path.per_hop(outcome.seconds * PS_PER_SECOND, key.workers) if waits else None
        return found | {"list_schedule": schedule} | self._aborts(outcome, profile)

    @staticmethod
    def _aborts(outcome: Outcome, profile: Profile) -> dict[str, Any]:
        """Aborts by class and by location; None where the strategy does not tell."""
        from contend.evm.state import location_of

        if outcome.abort_locations is None:
            return {"aborts_by_class": None, "aborts_by_location": None}
        keys, counts = outcome.abort_locations
        described = [
            {**profile.describe_location(location_of(key)), "aborts": int(count)}
            for key, count in zip(keys, counts, strict=True)
        ]
        by_class: dict[str, int] = {}
        for one in described:
            by_class[one["class"]] = by_class.get(one["class"], 0) + one["aborts"]
        described.sort(key=lambda one: (-one["aborts"], one["name"]))
        return {"aborts_by_class": by_class, "aborts_by_location": described}

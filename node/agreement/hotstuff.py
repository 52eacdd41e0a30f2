"""HotStuff: a leader collects the votes of each phase and sends the quorum of them to everyone.

After Yin, Malkhi, Reiter, Golan Gueta and Abraham, "HotStuff: BFT consensus with linearity and responsiveness" (PODC
2019), algorithm 2, for one block: three phases of a proposal and votes, then the decision, seven message delays. With
two phases it is that of Jolteon (Gelashvili et al., FC 2022) and HotStuff-2 (Malkhi and Nayak, 2023), five delays.

A quorum of votes is a certificate: their signatures, which whoever gets it checks one by one. Who has the certificate
of all phases but the last is locked on its value, and votes for another only where the proposal brings a newer
certificate of that. With three phases the lock comes a phase after the certificate, so that a leader that has heard
from a quorum knows of a certificate as new as any lock, however late others' messages come.

A view whose leader is silent ends by a time-out. All views begin by timers that everyone set alike, and each validator
sends the newest certificate that it has to the leader of the next. A leader that has decided answers with the decision.
"""

from __future__ import annotations

from collections import Counter
from typing import ClassVar, NamedTuple

from contend.node.agreement.quorums import Quorums
from contend.node.agreement.validator import Post, Validator

NEW_VIEW, PROPOSAL, VOTE, DECISION = range(4)


class Certificate(NamedTuple):
    """A quorum of votes of a view for a value."""

    view: int
    value: int


NOTHING = Certificate(-1, -1)


class Message(NamedTuple):
    """A message of HotStuff; its certificate is that of the phase before, or in a first phase the one it extends."""

    kind: int
    view: int
    phase: int
    value: int
    sender: int
    certificate: Certificate = NOTHING


class HotStuff(Validator):
    """A validator of HotStuff.

    Attributes
    ----------
    phases : int
        In which everyone votes.
    """

    patience = 14
    phases: ClassVar[int] = 3

    def __init__(self, number: int, quorums: Quorums, post: Post) -> None:
        super().__init__(number, quorums, post)
        self._newest = self._lock = NOTHING
        self._early: list[Message] = []
        # Of the view that one leads: who has begun it, votes by phase, and the phase that is going on.
        self._begun: list[Message] = []
        self._votes: Counter[int] = Counter()
        self._phase = -1

    def start(self) -> None:
        """Enter the first view, whose leader has nothing to wait for."""
        self._enter(0)
        if self._leader_of(0) == self.number:
            self._propose(0, self.number, NOTHING)

    def checks(self, message: Message) -> int:
        """Those of a certificate, and one of who votes, begins a view or proposes; none of what comes too late."""
        is_counted = message.kind == VOTE and message.phase < self._phase
        if self.decision is not None or message.view < self.round or is_counted:
            return 0
        of_certificate = self._quorums.quorum if message.certificate != NOTHING else 0
        return of_certificate + (message.kind != DECISION)

    def receive(self, message: Message) -> None:
        """Act on a message, when its view has come."""
        if self.decision is not None:
            if message.kind == NEW_VIEW:
                answer = Message(DECISION, self.round, self.phases, self.decision, self.number, self._newest)
                self._post.send(self.number, message.sender, answer)
        elif message.kind == DECISION:
            self._newest, self.decision = message.certificate, message.value
            for waiting in (*self._begun, *self._early):
                self.receive(waiting)
        elif message.view > self.round:
            self._early.append(message)
        elif message.view == self.round:
            self._act(message)

    def expire(self, timer: int) -> None:
        """Go to the next view, if the timer's is not over."""
        if self.decision is not None or timer != self.round:
            return
        self._enter(timer + 1)
        leader = self._leader_of(self.round)
        self._tell(leader, Message(NEW_VIEW, self.round, 0, -1, self.number, self._newest))
        early, self._early = self._early, []
        for message in early:
            self.receive(message)

    def _enter(self, view: int) -> None:
        self.round = view
        self._begun, self._phase = [], -1
        self._votes.clear()
        self._set_timer(view)

    def _tell(self, receiver: int, message: Message) -> None:
        if receiver == self.number:
            self.receive(message)
        else:
            self._post.send(self.number, receiver, message)

    def _propose(self, phase: int, value: int, certificate: Certificate) -> None:
        """Begin a phase of the view that one leads."""
        self._phase = phase
        message = Message(PROPOSAL, self.round, phase, value, self.number, certificate)
        self._broadcast(message)
        self._act(message)

    def _act(self, message: Message) -> None:
        """Act on a message of the present view."""
        if message.kind == NEW_VIEW:
            self._begun.append(message)
            if self._phase < 0 and len(self._begun) >= self._quorums.quorum:
                newest = max(one.certificate for one in self._begun)
                self._propose(0, self.number if newest == NOTHING else newest.value, newest)
        elif message.kind == VOTE:
            self._count(message)
        elif self._accepts(message):
            self._tell(message.sender, message._replace(kind=VOTE, sender=self.number, certificate=NOTHING))

    def _accepts(self, message: Message) -> bool:
        """Whether to vote for a proposal; notes what its certificate says."""
        certificate = message.certificate
        if message.phase == 0:
            return message.value == self._lock.value or certificate.view >= self._lock.view
        if message.phase == 1:
            self._newest = certificate
        if message.phase == self.phases - 1:
            self._lock = certificate
        return True

    def _count(self, vote: Message) -> None:
        """Count a vote; with a quorum of them the phase is over."""
        if vote.phase != self._phase:
            return
        self._votes[vote.phase] += 1
        if self._votes[vote.phase] < self._quorums.quorum:
            return
        certificate = Certificate(self.round, vote.value)
        if vote.phase + 1 < self.phases:
            self._propose(vote.phase + 1, vote.value, certificate)
            return
        self._phase = self.phases
        self._newest, self.decision = certificate, vote.value
        self._broadcast(Message(DECISION, self.round, self.phases, vote.value, self.number, certificate))


class TwoPhase(HotStuff):
    """A validator of HotStuff with two phases."""

    patience = 10
    phases: ClassVar[int] = 2

"""Tendermint: a leader proposes, everyone votes twice, everyone to everyone.

After Buchman, Kwon and Milosevic, "The latest gossip on BFT consensus" (arXiv 1807.04938, 2018), algorithm 1, for one
height. A block is decided three message delays after its proposal: proposal, prevote, precommit. A validator that has
seen a quorum of prevotes is locked on their value, and prevotes for another one only where a later quorum did. Where
the leader is silent, validators prevote and precommit nil after a time-out, and go to the next round after another.

The paper has its messages spread by gossip, so that what one correct validator has, all come to have. Here messages go
straight to their receivers. Two things take gossip's place: a proposal of an earlier round's value brings the quorum
of prevotes for it, and a validator that has stayed in a round for long asks the others, of whom those that have decided
answer with the quorum of precommits.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from contend.node.agreement.quorums import Quorums
from contend.node.agreement.validator import Post, Validator

PROPOSAL, PREVOTE, PRECOMMIT, QUESTION, DECISION = range(5)
NIL = -1
NO_ROUND = -1
_STALLED = QUESTION  # timer of a round that has lasted for long
_ROUND_PATIENCES = 4  # longer than a round that ends by its time-outs


class Message(NamedTuple):
    """A message of Tendermint.

    `valid_round` is of a proposal: the round whose quorum of prevotes comes with it, or `NO_ROUND`.
    """

    kind: int
    round: int
    value: int
    sender: int
    valid_round: int = NO_ROUND


class _Round:
    """What a validator has heard of a round."""

    def __init__(self) -> None:
        self.proposal: Message | None = None
        self.votes: dict[int, Counter[int]] = {PREVOTE: Counter(), PRECOMMIT: Counter()}
        self.senders: set[int] = set()
        # Which of the votes have set the timer of their time-out, and whether the quorum of prevotes has been noticed.
        self.timed: set[int] = set()
        self.is_locked = False


class Tendermint(Validator):
    """A validator of Tendermint."""

    patience = 4

    def __init__(self, number: int, quorums: Quorums, post: Post) -> None:
        super().__init__(number, quorums, post)
        self._rounds: dict[int, _Round] = {}
        self._step = PROPOSAL
        self._locked_value, self._locked_round = NIL, NO_ROUND
        self._valid_value, self._valid_round = NIL, NO_ROUND

    def start(self) -> None:
        """Enter the first round."""
        self._enter(0)
        self._react(0)

    def checks(self, message: Message) -> int:
        """One of the sender, and those of a quorum where one comes with it; none by who has decided."""
        if self.decision is not None:
            return 0
        brings_quorum = message.kind == DECISION or message.valid_round != NO_ROUND
        return 1 + (self._quorums.quorum if brings_quorum else 0)

    def receive(self, message: Message) -> None:
        """Note a message, then follow all rules that it makes apply."""
        if self.decision is not None:
            if message.kind == QUESTION:
                answer = Message(DECISION, self.round, self.decision, self.number)
                self._post.send(self.number, message.sender, answer)
        elif message.kind == DECISION:
            self.decision = message.value
        elif message.kind != QUESTION:
            self._note(message)
            self._react(message.round)

    def expire(self, timer: tuple[int, int]) -> None:
        """Give up what the timer was set for, if it has not come."""
        kind, number = timer
        if self.decision is not None or number != self.round:
            return
        if kind == PROPOSAL and self._step == PROPOSAL:
            self._vote(PREVOTE, NIL)
        elif kind == PREVOTE and self._step == PREVOTE:
            self._vote(PRECOMMIT, NIL)
        elif kind == PRECOMMIT:
            self._enter(number + 1)
        elif kind == _STALLED:
            self._broadcast(Message(QUESTION, number, NIL, self.number))
            self._set_timer((_STALLED, number), _ROUND_PATIENCES)
            return
        self._react(number)

    def _of(self, number: int) -> _Round:
        return self._rounds.setdefault(number, _Round())

    def _note(self, message: Message) -> None:
        heard = self._of(message.round)
        heard.senders.add(message.sender)
        if message.kind == PROPOSAL:
            heard.proposal = message
        else:
            heard.votes[message.kind][message.value] += 1

    def _say(self, message: Message) -> None:
        """Tell everyone, oneself included."""
        self._broadcast(message)
        self._note(message)

    def _enter(self, number: int) -> None:
        """Enter a round: propose, or wait for the proposal."""
        self.round, self._step = number, PROPOSAL
        if self._leader_of(number) == self.number:
            value = self.number if self._valid_value == NIL else self._valid_value
            self._say(Message(PROPOSAL, number, value, self.number, self._valid_round))
        else:
            self._set_timer((PROPOSAL, number))
        self._set_timer((_STALLED, number), _ROUND_PATIENCES)

    def _vote(self, kind: int, value: int) -> None:
        self._step = kind
        self._say(Message(kind, self.round, value, self.number))

    def _react(self, number: int) -> None:
        """Follow all rules that apply after something was noted of a round."""
        heard, proposal = self._of(number), self._of(number).proposal
        if proposal is not None and heard.votes[PRECOMMIT][proposal.value] >= self._quorums.quorum:
            self.decision = proposal.value
            return
        if number > self.round and len(heard.senders) > self._quorums.faults:
            self._enter(number)
        while self.decision is None and self._follow(self._of(self.round)):
            pass

    def _follow(self, heard: _Round) -> bool:
        """Follow one rule of the present round that applies; whether one did."""
        quorum, prevotes, precommits = self._quorums.quorum, heard.votes[PREVOTE], heard.votes[PRECOMMIT]
        proposal = heard.proposal
        if proposal is not None:
            if self._step == PROPOSAL:
                is_free = self._locked_round <= proposal.valid_round or self._locked_value == proposal.value
                self._vote(PREVOTE, proposal.value if is_free else NIL)
                return True
            if not heard.is_locked and prevotes[proposal.value] >= quorum:
                heard.is_locked = True
                self._valid_value, self._valid_round = proposal.value, self.round
                if self._step == PREVOTE:
                    self._locked_value, self._locked_round = proposal.value, self.round
                    self._vote(PRECOMMIT, proposal.value)
                return True
            if precommits[proposal.value] >= quorum:
                self.decision = proposal.value
                return True
        if self._step == PREVOTE and prevotes[NIL] >= quorum:
            self._vote(PRECOMMIT, NIL)
            return True
        for kind, votes in heard.votes.items():
            waits = kind == PRECOMMIT or self._step == PREVOTE
            if waits and kind not in heard.timed and votes.total() >= quorum:
                heard.timed.add(kind)
                self._set_timer((kind, self.round))
                return True
        return False

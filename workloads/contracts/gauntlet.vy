#pragma version 0.4.3
"""
@title   Gauntlet: access patterns that are hard on one strategy or another
@notice  Numbered cells, and methods that read and write them in the ways that hurt. Every call that succeeds also counts
         itself in a cell of its caller's.
"""

MAX_WORK: constant(uint256) = 100000
MAX_CELLS: constant(uint256) = 4096

cells: public(HashMap[uint256, uint256])
calls: public(HashMap[address, uint256])


@external
def bump(_cell: uint256, _work: uint256):
    """
    @notice  Reads a cell, works, and writes it: with one cell, a chain of whole transactions
    """
    before: uint256 = self.cells[_cell]
    self._work(before, _work)
    self.cells[_cell] = before + 1
    self.calls[msg.sender] += 1


@external
def late(_read: uint256, _write: uint256, _work: uint256):
    """
    @notice  Works first and reads last: what it depends on shows when the work is done
    """
    self._work(_write, _work)
    self.cells[_write] = self.cells[_read] + 1
    self.calls[msg.sender] += 1


@external
def collect(_first: uint256, _count: uint256, _write: uint256, _work: uint256):
    """
    @notice  Reads cells and writes the sum of their words to another
    """
    total: uint256 = 0
    for i: uint256 in range(_count, bound=MAX_CELLS):
        total = unsafe_add(total, self.cells[unsafe_add(_first, i)])
    self._work(total, _work)
    self.cells[_write] = unsafe_add(total, 1)
    self.calls[msg.sender] += 1


@external
def scatter(_first: uint256, _count: uint256, _work: uint256):
    """
    @notice  Works, then adds one to each of many cells
    """
    self._work(_first, _work)
    for i: uint256 in range(_count, bound=MAX_CELLS):
        self.cells[unsafe_add(_first, i)] += 1
    self.calls[msg.sender] += 1


@external
def walk(_start: uint256, _steps: uint256, _modulus: uint256):
    """
    @notice  Goes from cell to cell, each named by the word of the one before, and writes the last: other words lead to
             other cells, so that an incarnation's accesses tell little about the next one's
    """
    at: uint256 = _start % _modulus
    for i: uint256 in range(_steps, bound=MAX_CELLS):
        at = (unsafe_add(unsafe_mul(at, 31), self.cells[at]) + 7) % _modulus
    self.cells[at] += 1
    self.calls[msg.sender] += 1


@external
def fail(_cell: uint256, _work: uint256):
    """
    @notice  Reads and writes a cell, then takes everything back
    """
    before: uint256 = self.cells[_cell]
    self.cells[_cell] = before + 1
    self._work(before, _work)
    raise "gauntlet: failed on purpose"


@internal
def _work(_seed: uint256, _rounds: uint256):
    digest: bytes32 = convert(_seed, bytes32)
    for i: uint256 in range(_rounds, bound=MAX_WORK):
        digest = keccak256(digest)
    assert digest != empty(bytes32) or _seed == 0, "gauntlet: no digest"

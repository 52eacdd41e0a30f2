#pragma version 0.4.3
"""
@title   Treasury: payments over time, and recurring tasks
@notice  The organisation grants payees streams, of which they draw what has become due; and it pays whoever performs a
         recurring task first after it has become due again.
"""

from ethereum.ercs import IERC20

event Streamed:
    id: indexed(uint256)
    payee: indexed(address)
    amount: uint256

event Performed:
    task: indexed(uint256)
    keeper: indexed(address)
    reward: uint256

struct Stream:
    payee: address
    perBlock: uint256
    lastBlock: uint256

struct Task:
    interval: uint256
    reward: uint256
    dueBlock: uint256
    runs: uint256

admin: public(immutable(address))
currency: public(immutable(address))
streamCount: public(uint256)
streams: public(HashMap[uint256, Stream])
taskCount: public(uint256)
tasks: public(HashMap[uint256, Task])
# Everything paid out so far: all payments meet here.
paidOut: public(uint256)


@deploy
def __init__(_currency: address):
    admin = msg.sender
    currency = _currency


@external
def grantStream(_payee: address, _perBlock: uint256) -> uint256:
    assert msg.sender == admin, "treasury: not the admin"
    id: uint256 = self.streamCount
    self.streamCount = id + 1
    self.streams[id] = Stream(payee=_payee, perBlock=_perBlock, lastBlock=block.number)
    return id


@external
def addTask(_interval: uint256, _reward: uint256) -> uint256:
    assert msg.sender == admin, "treasury: not the admin"
    id: uint256 = self.taskCount
    self.taskCount = id + 1
    self.tasks[id] = Task(interval=_interval, reward=_reward, dueBlock=block.number, runs=0)
    return id


@external
@nonreentrant
def draw(_id: uint256):
    """
    @notice  Pays the payee what has become due
    """
    stream: Stream = self.streams[_id]
    assert stream.payee == msg.sender, "treasury: not the payee"
    due: uint256 = stream.perBlock * (block.number - stream.lastBlock)
    self.streams[_id].lastBlock = block.number
    self._pay(msg.sender, due)
    log Streamed(id=_id, payee=msg.sender, amount=due)


@external
@nonreentrant
def perform(_task: uint256):
    """
    @notice  Does a task that is due. Keepers compete: all but the first come too late
    """
    task: Task = self.tasks[_task]
    assert task.interval > 0, "treasury: no such task"
    assert block.number >= task.dueBlock, "treasury: not due"
    self.tasks[_task].dueBlock = block.number + task.interval
    self.tasks[_task].runs = task.runs + 1
    self._pay(msg.sender, task.reward)
    log Performed(task=_task, keeper=msg.sender, reward=task.reward)


@internal
def _pay(_to: address, _amount: uint256):
    if _amount > 0:
        self.paidOut += _amount
        assert extcall IERC20(currency).transfer(_to, _amount), "treasury: transfer failed"

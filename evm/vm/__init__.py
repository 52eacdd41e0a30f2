"""The virtual machine: a resumable interpreter, and how it suspends.

A machine (`evm.vm.machine.Machine`) executes one transaction. It reads and writes only its own access table
(`evm.vm.access_table`); what lies outside is supplied by a driver, one word at a time:

- *What suspends.* An instruction, a call, or a transaction's beginning that needs a location which the transaction has
  not touched yet, notes its key as the machine's `pending_location` and suspends: the interpreter puts its registers
  back into the frame, with the program counter still on the instruction, and returns `errors.NEED`. A call of a
  precompiled contract suspends likewise (`errors.COMPUTE`), but `evm.interpreter.resume` has it computed and goes
  on, so that drivers know locations only.
- *Who supplies.* The driver finds the word: in a state (`evm.drivers.serial`), in multi-version memory, on another
  shard, on a disk. It hands the word over with `evm.vm.access_table.supply_word` and resumes the machine; or abandons
  the transaction, where it stands, by starting another one. A machine holds nothing of its driver, so any thread may
  resume it, one at a time.
- *What an instruction may not do before it has all it needs.* It runs again from its start when the machine is resumed.
  Until every location that it reads is loaded it must leave stack, memory, gas, words and flags as they were. It may
  insert empty entries in the access table, which mean nothing until a word is supplied, and mark entries as observed.
  Gas is compared first and subtracted last, for a frame that cannot pay must not ask for a location: that would add it
  to the read set.

Every need is a point at which another transaction's write can be seen. So a suspension is where a strategy's step ends
and where a clock may interleave.
"""

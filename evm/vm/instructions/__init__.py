"""The instructions, in files by family. Each is a function of the machine, the frame and its registers.

They read like those of the reference specification, in four beats: what it takes from the stack, what gas it charges,
what it does, how it ends. The program counter already stands behind the instruction, and its constant gas and its need
of stack words are settled: the decoder summed both for its basic block (`evm.code.decoder`).

An instruction gives `CONTINUE`; an error (`evm.errors`), which ends the frame and takes its gas; or why the interpreter
leaves its loop: `SUSPENDED` for a location (see `evm.vm`), `CALLS`, `STOPPED` or `REVERTED`.

`evm.vm.dispatch` gives each its branch in the interpreter's loop.
"""

"""Waiting for another transaction: at a read with the machine kept, on its list of waiters, in the set of ready ones.

A reader that needs what a lower transaction has not written yet waits (Faleiro and Abadi, "Rethinking serializable
multiversion concurrency control", VLDB 2015, section 3.3), in one of two ways, whatever the strategy:

aside
    It is put on the writer's list (`waiter_list`). Who closes the list puts it into the set of those that can go on
    (`ready_set`), from which any worker takes it.
in place
    Its worker stands at the read (`at_read`) and looks again when something has changed.

Memory order. In each way one word decides, which the writer stores when all that is waited for is visible:

- The tag of a version. It is stored (released) behind the word; who loads it without its ESTIMATE (acquired) has the
  word. That it is still the same tag after the word has been read makes the word whole (`block_stm.mv_memory`).
- The status of a transaction, released when all its tags are stored.
- The head of the list. To join is a compare-and-swap, to close an exchange of the same word: so either the closer finds
  whoever has joined, or who wants to join finds the list closed, and by the load that tells it so (acquired) all that
  was stored before it was closed. There is no pair of words of which each side could miss the other's.

An idle worker looks again when a counter has changed. Whatever ends a wait is therefore followed by an addition to one
of the strategy's wake counters, and never preceded by it.

Why somebody always goes on is each strategy's own argument: who waits for whom there, and that the lowest waits for
nobody.
"""

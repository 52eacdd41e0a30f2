"""The one way to measure: tasks in, results out, both plain data.

`task` says what is measured; an executor (`executor`) decides where. The local one has worker processes (`worker`, the
program; `worker_process` and `worker_pool`, this side of it), which run tasks strictly in turn where time is real
(`interleaved_runner`), and on all cores where it is simulated (`parallel_runner`). `engine` makes a record of it.
"""

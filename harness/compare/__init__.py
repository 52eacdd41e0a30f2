"""Two measurements of the same cells against each other: what ``contend compare`` says, and when it fails.

A and B are records, or versions of Contend itself: git revisions, or folders with a checkout. Versions are measured
here and now, interleaved (`runner`); records were measured before (`from_records`). Both end in a
`result.Comparison`.
"""

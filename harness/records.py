"""Records: what a run measured, as one JSON file with its raw samples.

The samples are the truth. Every derived figure in a file (median throughput, speed-up and its interval, warnings) is
there for readers without this package; `read` and `load` compute it again and ignore what the file says.
``docs/records.md`` documents the format; ``harness/record/`` has what makes, writes, reads and resumes them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from contend.harness.record.load import read, schema
from contend.harness.record.load_all import read_all

if TYPE_CHECKING:
    import pandas

__all__ = ["load", "read", "schema"]


def load(*places: str | Path) -> pandas.DataFrame:
    """Load records as a DataFrame, one row a cell.

    Parameters
    ----------
    *places : str or Path
        Files; folders of records; or results folders, which have one.

    Returns
    -------
    DataFrame
        Columns as in `contend.harness.record.frame.COLUMNS`, then one ``dial.<name>`` a dial and one ``count.<name>`` a
        counter.

    Raises
    ------
    BadInputError
        If a path does not exist, or a file that is named itself cannot be read.

    Warns
    -----
    RecordWarning
        For every file in a folder that is damaged or newer than this version of Contend; it is left out.

    Examples
    --------
    >>> import contend
    >>> cells = contend.load("results")  # doctest: +SKIP
    >>> cells.groupby(["workload", "strategy", "workers"])["tx_per_second"].median()  # doctest: +SKIP
    """
    from contend.harness.present.notebook.cells_frame import Cells
    from contend.harness.record.frame import to_frame

    return Cells(to_frame(read_all(places)))

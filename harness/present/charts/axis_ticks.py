"""Ticks of axes: round numbers in plain figures, as many as there is room for.

A tick is drawn only where its label leaves the next one room, so that a panel may be of any size: which ticks there are
is decided when it is drawn.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axis import XAxis
from matplotlib.ticker import FuncFormatter, Locator, MaxNLocator, NullLocator

from contend.harness.present.charts.text_fitting import text_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

Text = Callable[[float], str]
_FEWEST, _ENOUGH = 2, 3
_GAP = 0.8  # between labels, of the font's size
_TALL = 1.7  # from line to line of labels above each other, of the font's size
_STEPS = ((1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 2, 5), (1, 3))


def worker_axis(axes: Axes, counts: Sequence[int]) -> None:
    """Make a logarithmic axis of worker counts, a tick for each as far as there is room."""
    axes.set_xscale("log", base=2)
    _set_ticks(axes.xaxis, _Given(counts, whole), whole)
    axes.set_xlim(counts[0] / 1.25, counts[-1] * 1.25)


def factor_axis(axis: Axis) -> None:
    """Make an axis logarithmic, its ticks at powers of two: 1/4, 1/2, 1, 2, 4."""
    _scale(axis, base=2)
    _set_ticks(axis, _PowersOfTwo(factor), factor)


def decimal_axis(axis: Axis, text: Text) -> None:
    """Make an axis logarithmic, its ticks at 1, 2 and 5 times powers of ten, or at fewer or more of them."""
    _scale(axis, base=10)
    _set_ticks(axis, _Decimals(text), text)


def linear_axis(axis: Axis, text: Text | None = None) -> None:
    """Give a linear axis its ticks, in plain numbers."""
    axis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: (text or plain)(value)))


def share_axis(axis: Axis) -> None:
    """Give a linear axis of shares its ticks, in per cent."""
    linear_axis(axis, percent)


def plain(value: float) -> str:
    """Write a number without a power of ten: 0.25, 3, 12,500."""
    text = f"{value:,.9f}".rstrip("0").rstrip(".")
    return text if text not in ("", "-0") else "0"


def whole(value: float) -> str:
    """Write a whole number: 1,024."""
    return f"{value:,.0f}"


def factor(value: float) -> str:
    """Write a number of times: 1/4, 1/2, 1, 1.5, 1,024."""
    below = 1 / value if 0 < value < 1 else 0.0
    return f"1/{below:,.0f}" if below and math.isclose(below, round(below)) else plain(value)


def rate(value: float) -> str:
    """Write transactions per second: 0.5, 500, 1.5k, 20M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size * (1 - 1e-9):
            return plain(value / size) + letter
    return plain(value)


def seconds(value: float) -> str:
    """Write a time: 2 s, 50 ms, 100 us."""
    for size, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "us")):
        if abs(value) >= size * (1 - 1e-9):
            return f"{plain(round(value / size, 6))} {unit}"
    return f"{plain(round(value / 1e-9, 6))} ns"


def percent(value: float) -> str:
    """Write a share: 0.5%, 20%."""
    return f"{plain(round(100 * value, 9))}%"


def _scale(axis: Axis, base: int) -> None:
    (axis.axes.set_xscale if isinstance(axis, XAxis) else axis.axes.set_yscale)("log", base=base)


def _set_ticks(axis: Axis, locator: Locator, text: Text) -> None:
    axis.set_major_locator(locator)
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: text(value)))


class _Roomy(Locator):
    """Ticks whose labels do not touch."""

    def __init__(self, text: Text) -> None:
        self._text = text

    def __call__(self) -> list[float]:
        low, high = sorted(self._axis.get_view_interval())
        return self.tick_values(low, high)

    def tick_values(self, vmin: float, vmax: float) -> list[float]:
        """Ticks between these limits."""
        return list(self._chosen(vmin, vmax))

    @abstractmethod
    def _chosen(self, low: float, high: float) -> Iterable[float]:
        """Ticks that fit."""

    @property
    def _axis(self) -> Any:
        return self.axis

    def _spots(self, values: Sequence[float]) -> tuple[Any, Any]:
        """Places of labels along the axis, and how long each is, in inches."""
        axes = self._axis.axes
        across = isinstance(self._axis, XAxis)
        transform = axes.get_xaxis_transform() if across else axes.get_yaxis_transform()
        points = [(value, 0.0) if across else (0.0, value) for value in values]
        places = transform.transform(points)[:, 0 if across else 1] / axes.figure.dpi
        size = self._axis.get_major_ticks(1)[0].label1.get_fontsize()
        if across:
            lengths = [text_width(self._text(value), size) + _GAP * size / 72 for value in values]
        else:
            lengths = [_TALL * size / 72 for _ in values]
        return places, np.array(lengths)

    def _fits(self, values: Sequence[float]) -> bool:
        if len(values) < _FEWEST:
            return True
        places, lengths = self._spots(values)
        return bool((np.abs(np.diff(places)) >= (lengths[1:] + lengths[:-1]) / 2).all())


class _Given(_Roomy):
    """Those of given values that fit: the largest and the smallest, then powers of two, then the others."""

    def __init__(self, values: Sequence[float], text: Text) -> None:
        super().__init__(text)
        self._values = sorted(set(values))

    def _chosen(self, low: float, high: float) -> Iterable[float]:
        values = [value for value in self._values if low <= value <= high]
        if not values:
            return values
        places, lengths = self._spots(values)
        ends = (values[0], values[-1])
        order = sorted(
            range(len(values)), key=lambda i: (values[i] not in ends, not math.log2(values[i]).is_integer(), -values[i])
        )
        kept: list[int] = []
        for i in order:
            if all(abs(places[i] - places[j]) >= (lengths[i] + lengths[j]) / 2 for j in kept):
                kept.append(i)
        return [values[i] for i in sorted(kept)]


class _PowersOfTwo(_Roomy):
    """Powers of two: every one, or as many as fit, one among them."""

    def _chosen(self, low: float, high: float) -> Iterable[float]:
        first, last = math.ceil(math.log2(low) - 1e-9), math.floor(math.log2(high) + 1e-9)
        for step in range(1, 64):
            values = [2.0**power for power in range(first, last + 1) if power % step == 0]
            if self._fits(values):
                return values if len(values) >= _FEWEST else _between(low, high)
        return []


class _Decimals(_Roomy):
    """Round multiples of powers of ten, as many as fit."""

    def _chosen(self, low: float, high: float) -> Iterable[float]:
        first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
        sets = [[(power, step) for power in range(first, last + 1) for step in steps] for steps in _STEPS]
        sets += [[(power, 1) for power in range(first, last + 1) if power % every == 0] for every in range(1, 20)]
        # From text, so that a tick at a tenth is one and not the sum of what is nearly one.
        every = [[value for power, step in one if low <= (value := float(f"{step}e{power}")) <= high] for one in sets]
        found = next((values for values in every if self._fits(values)), [])
        even = _between(low, high)
        return even if len(even) > len(found) < _ENOUGH and self._fits(even) else found


def _between(low: float, high: float) -> list[float]:
    """Ticks of a logarithmic axis that is too short for powers."""
    return [value for value in MaxNLocator(4, steps=[1, 2, 5, 10]).tick_values(low, high) if low <= value <= high]

"""Names of before; see `strategies.clocks.schedule`."""

# moved; removed when branches join
from strategies.clocks.schedule import *  # noqa: F403

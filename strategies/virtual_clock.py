"""Names of before; see `strategies.clocks.virtual`."""

# moved; removed when branches join
from strategies.clocks.virtual import *  # noqa: F403

"""Names of before; see `strategies.clocks.network_model`."""

# moved; removed when branches join
from strategies.clocks.network_model import *  # noqa: F403

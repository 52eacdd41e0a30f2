"""Names of before; see `strategies.clocks.cost_table`."""

# moved; removed when branches join
from strategies.clocks.cost_table import *  # noqa: F403
from strategies.clocks.cost_table import PS_PER_NS as PICOSECONDS
from strategies.clocks.cost_table import CostTable as Costs
from strategies.clocks.cost_table import CostTableError as CostsError

__all__ = ["PICOSECONDS", "Costs", "CostsError"]

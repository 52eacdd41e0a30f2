"""What conflicts in a block and what that costs: dependencies, the bound, names of locations, causes of aborts."""

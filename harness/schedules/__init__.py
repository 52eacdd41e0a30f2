"""``contend fuzz``: strategies under random schedules, each result against the oracle."""

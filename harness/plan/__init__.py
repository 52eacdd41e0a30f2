"""What to measure: a request and its options, the suites that fix one, and the plan of cells that it means."""

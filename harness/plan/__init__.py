"""Planning: a request and its options, the suites that fix one, and the cells that it means."""

"""Study of the roles: all contenders on all workloads, simulated, and the page that says who wins where."""

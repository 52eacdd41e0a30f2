"""What is measured, as plain data: samples, and what a workload has so far."""

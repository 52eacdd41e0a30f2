"""What is measured, as plain data: samples, a block's facts and bound, and what a workload has so far."""

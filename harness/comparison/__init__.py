"""The study of the gate's power, in `proof`; what it studies is `harness.compare`."""

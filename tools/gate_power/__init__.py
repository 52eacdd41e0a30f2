"""Power study of the gate: the rate of its false alarms, and of planted slow-downs that it finds.

``python -m tools.gate_power`` measures and simulates all of it and writes ``docs/gate.md``.
"""

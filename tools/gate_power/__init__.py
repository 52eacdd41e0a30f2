"""The gate proven: how often it cries wolf, and how often it sees a slow-down that was planted.

``python -m tools.gate_power`` measures and simulates all of it and writes ``docs/gate.md``.
"""

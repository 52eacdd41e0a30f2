"""Public programs on this EVM and on revm, in turns (``python -m tools.programs.race``); a part of ``make goals``."""

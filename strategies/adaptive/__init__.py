"""Strategies that choose how a block is executed: by a learned model of contenders, or by a trial of hints."""

"""Planned strategies: predicted access sets, plans made of them, and the engine that executes and repairs a plan."""

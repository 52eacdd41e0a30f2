"""Scaffold: packages of plug-ins, written by ``contend new``."""

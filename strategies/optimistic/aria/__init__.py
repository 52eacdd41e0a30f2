"""Batches on one snapshot, reservations, and an order that is found afterwards (Aria, PVLDB 13(11))."""

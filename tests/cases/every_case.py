"""All public cases, by name: importing this file has made them known."""

from __future__ import annotations

import importlib

from tests.cases.public_case import CASES

KINDS = (
    "destroyed_accounts",
    "absent_accounts",
    "beneficiary_roles",
    "delegation_rules",
    "limits_and_receipts",
    "order_and_memory",
    "list_verdicts",
)
for _kind in KINDS:
    importlib.import_module(f"tests.cases.{_kind}")

__all__ = ["CASES", "KINDS"]

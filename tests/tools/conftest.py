"""Fixtures of the harness that tests of tools use as well."""

from tests.harness.conftest import make_cell as make_cell

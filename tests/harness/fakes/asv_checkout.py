"""An environment for asv in which nothing is installed: this interpreter imports a commit from its checkout.

What asv does around it (discovery, setup caches, results, statistics, verdicts, exit codes) is asv's own.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from asv import util
from asv.environment import Environment


class Checkout(Environment):  # type: ignore[misc]  # asv publishes no types
    tool_name = "checkout"

    def __init__(self, conf: Any, python: str, requirements: dict[str, str], tagged_env_vars: dict[Any, str]) -> None:
        self._requirements = requirements
        super().__init__(conf, python, requirements, tagged_env_vars)

    @property
    def name(self) -> str:
        return "checkout"

    def check_presence(self) -> bool:
        return True

    def create(self) -> None:
        os.makedirs(self._path, exist_ok=True)

    def install_project(self, conf: Any, repo: Any, commit_hash: str) -> None:
        self.checkout_project(repo, commit_hash)

    def run(self, args: list[str], **options: Any) -> Any:
        environment = dict(options.pop("env", None) or os.environ)
        # The only import path that asv hands on; its own variable comes first, since the checkout is what is measured.
        environment["ASV_PYTHONPATH"] = os.pathsep.join([self._build_root, environment["ASV_PYTHONPATH"]])
        return util.check_output([sys.executable, *args], env=environment, **options)

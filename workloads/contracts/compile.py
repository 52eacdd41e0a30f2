"""Compile the contracts in this folder: ``python -m workloads.contracts.compile`` writes artifacts beside the sources.

Needs the exact compiler of the checked-in artifacts (extra ``test``). An artifact holds what deploying and calling the
contract takes, and what says how it was made: the interface, selectors, creation and runtime bytecode, where storage
variables lie, the compiler and its settings.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
VERSION = "0.4.3"
EVM_VERSION = "cancun"
OPTIMIZE = "gas"
# Contracts that are deployed. The other sources here are modules that these import.
DEPLOYED = (
    "token",
    "pool",
    "router",
    "collection",
    "market",
    "votes",
    "dao",
    "liquidity",
    "oracle",
    "lending",
    "arbitrage",
    "orderbook",
    "stablecoin",
    "items",
    "game",
    "bazaar",
    "grants",
    "treasury",
    "provenance",
    "metering",
    "gauntlet",
)


def compile_contract(name: str) -> dict[str, Any]:
    """Compile one contract.

    Parameters
    ----------
    name : str
        One of `DEPLOYED`.

    Returns
    -------
    dict
        The artifact, ready for JSON.

    Raises
    ------
    ImportError
        If Vyper is not installed.
    RuntimeError
        If another version of Vyper is.
    """
    import vyper
    from vyper.cli.vyper_compile import compile_files
    from vyper.compiler.settings import OptimizationLevel, Settings

    if vyper.__version__ != VERSION:
        raise RuntimeError(f"vyper {vyper.__version__} is installed; the artifacts are made with {VERSION}")
    formats = ["abi", "method_identifiers", "bytecode", "bytecode_runtime", "layout"]
    settings = Settings(evm_version=EVM_VERSION, optimize=OptimizationLevel.from_string(OPTIMIZE))
    # Without the metadata trailer: it would change with every comment, and no instruction reads it.
    compiled = compile_files(
        [str(FOLDER / f"{name}.vy")],
        formats,
        paths=[str(FOLDER)],
        include_sys_path=False,
        settings=settings,
        no_bytecode_metadata=True,
    )
    (output,) = compiled.values()
    return {
        "contract": name,
        "compiler": {
            "name": "vyper",
            "version": vyper.__long_version__,
            "evm_version": EVM_VERSION,
            "optimize": OPTIMIZE,
            "bytecode_metadata": False,
        },
        "abi": output["abi"],
        "methods": {signature: f"0x{int(value, 16):08x}" for signature, value in output["method_identifiers"].items()},
        "layout": output["layout"],
        "bytecode": output["bytecode"],
        "runtime": output["bytecode_runtime"],
    }


def render(artifact: dict[str, Any]) -> str:
    """Text of an artifact's file."""
    parts = [
        f" {json.dumps(key)}: {_render_list(value) if key == 'abi' else json.dumps(value)}"
        for key, value in artifact.items()
    ]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _render_list(entries: list[Any]) -> str:
    return "[\n" + ",\n".join(f"  {json.dumps(entry)}" for entry in entries) + "\n ]"


def main() -> int:
    """Write every artifact; the exit code, 2 where the compiler is missing or of another version."""
    for name in DEPLOYED:
        try:
            artifact = compile_contract(name)
        except (ImportError, RuntimeError) as error:
            print(f"contracts: {error}; install the extra 'test'", file=sys.stderr)
            return 2
        (FOLDER / f"{name}.json").write_text(render(artifact), encoding="utf-8")
        print(f"{name}.json: {len(artifact['runtime']) // 2 - 1} bytes of runtime code")
    return 0


if __name__ == "__main__":
    sys.exit(main())

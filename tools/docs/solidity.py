"""``python -m tools.docs.solidity``: compile the examples in ``docs/examples/solidity/`` to their artifact beside them.

The compiler comes from npm, as JavaScript, into a temporary folder; its version and settings are fixed here, and no
metadata is put behind the code, so that whoever compiles gets the same bytes. The artifact is the compiler's standard
JSON output, without what nobody here reads.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "examples" / "solidity"
ARTIFACT = FOLDER / "contracts.json"
VERSION = "0.8.30"
SETTINGS: dict[str, Any] = {
    "evmVersion": "cancun",
    "optimizer": {"enabled": True, "runs": 200},
    "metadata": {"bytecodeHash": "none", "appendCBOR": False},
    "outputSelection": {
        "*": {"*": ["abi", "evm.bytecode.object", "evm.bytecode.linkReferences", "storageLayout"]},
    },
}
_COMPILE = """
const input = require("fs").readFileSync(0, "utf8");
process.stdout.write(require("solc").compile(input));
"""


class CompilerMissing(RuntimeError):  # noqa: N818  # says what is the matter, as the project's other errors do
    """No compiler here: node, npm or the registry is missing. The message is one line."""


def install(folder: Path) -> None:
    """Install the compiler into a folder.

    Raises
    ------
    CompilerMissing
        If that cannot be done.
    """
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise CompilerMissing("node and npm are not installed")
    (folder / "package.json").write_text("{}")
    command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", f"solc@{VERSION}"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    except subprocess.TimeoutExpired:
        raise CompilerMissing("npm did not answer within two minutes") from None
    if done.returncode:
        raise CompilerMissing(f"npm cannot install solc {VERSION}: {' '.join(done.stderr.split())[:200]}")


def compile_examples(folder: Path) -> dict[str, Any]:
    """Standard JSON output for all examples, by the compiler in a folder.

    Raises
    ------
    RuntimeError
        With the compiler's messages, warnings among them.
    """
    sources = {path.name: {"content": path.read_text(encoding="utf-8")} for path in sorted(FOLDER.glob("*.sol"))}
    task = {"language": "Solidity", "sources": sources, "settings": SETTINGS}
    command = ["node", "-e", _COMPILE]
    done = subprocess.run(command, cwd=folder, input=json.dumps(task), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    output: dict[str, Any] = json.loads(done.stdout)
    if messages := [error["formattedMessage"] for error in output.get("errors", [])]:
        raise RuntimeError("\n".join(messages))
    # Numbers that the compiler gives to the nodes of its syntax tree, which say nothing about the contract.
    return {"contracts": {file: _without_node_ids(contracts) for file, contracts in output["contracts"].items()}}


def _without_node_ids(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_node_ids(one) for key, one in value.items() if key != "astId"}
    return [_without_node_ids(one) for one in value] if isinstance(value, list) else value


def render(output: dict[str, Any]) -> str:
    """The artifact's text."""
    return json.dumps(output, indent=1, sort_keys=True) + "\n"


def main() -> int:
    """Write the artifact."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            install(Path(folder))
            ARTIFACT.write_text(render(compile_examples(Path(folder))), encoding="utf-8")
        except RuntimeError as error:
            print(error, file=sys.stderr)
            return 1
    print(f"wrote {ARTIFACT}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

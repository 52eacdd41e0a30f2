"""The schedule fuzzer: strategies under random interleavings, and copies of them with a known change."""

from contend.evm.runtime.source_digest import register

# The kernel of its switch is linked into copies only, whose folder is named by the switch's source, too.
register(__name__, __path__[0], whole=False)

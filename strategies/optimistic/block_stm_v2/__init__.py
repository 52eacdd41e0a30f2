"""Block-STM without sweeps of validations: who writes tells those that have read what it changes (Aptos)."""

"""``python -m contend`` is ``contend``."""

from contend.harness.cli import main

if __name__ == "__main__":
    main(prog_name="contend")

"""Tables for the terminal: of a run, of what explains it, and of what there is."""

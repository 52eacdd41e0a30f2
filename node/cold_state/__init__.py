"""Cold state: a store behind the state of a block while it is executed."""

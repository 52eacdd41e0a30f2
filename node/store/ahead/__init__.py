"""Reading ahead: records read before a block is executed, many at a time."""

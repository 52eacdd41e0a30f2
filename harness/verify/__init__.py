"""Tools that check strategies rather than measure them."""

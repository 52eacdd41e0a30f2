"""Records on disk: written whole, read whatever their version, and gone on with."""

"""Speed of this version beside that of an earlier one, measured in turns."""

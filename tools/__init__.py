"""Tools of this project: documents made from the code, studies, goals. Not part of the installed package."""

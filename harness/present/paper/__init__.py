"""The paper's folder: figures, tables and captions made of records, for LaTeX."""

"""Strategy against strategy within records: which one is faster, by how much, and how sure that is."""

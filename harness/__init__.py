"""The harness: measures strategies on the same blocks, proves every result, keeps records, compares and shows them."""

"""Records: samples, a block's facts and bound, the cells made of them, and their files."""

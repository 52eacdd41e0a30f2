"""Sources of hints: what fills a block's hint table, and the table as planners see it."""

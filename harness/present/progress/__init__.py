"""Progress on standard error: of a run, of a loop, of a campaign, and of what is compiled."""

"""``contend doctor``: what on this machine makes timings unreliable, measured, and what to do about it."""

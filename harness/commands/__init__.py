"""The commands of ``contend``, one a file: options in, a call of what does the work, an exit code out."""

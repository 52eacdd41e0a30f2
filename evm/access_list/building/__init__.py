"""Building of an encoded block access list from an access log, in kernels, by any number of workers."""

"""The compiled ground floor: how kernels are compiled, kept, and reach memory."""

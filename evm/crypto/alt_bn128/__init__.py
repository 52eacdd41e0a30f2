"""alt_bn128: the curve of EIP-196 and EIP-197 in kernels: prime field, tower of extensions, points, pairing.

A computation has one array of machine words, its *space*, and names what lies in it by the number of the first word: an
element of the prime field has 4 words, of its quadratic extension 8, of the sextic one 24, of the twelfth 48. What a
function needs beside its arguments lies at places of its own in the space (`field`), so nothing is allocated, and a
result may take the place of an argument.
"""

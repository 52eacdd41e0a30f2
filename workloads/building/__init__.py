"""Building blocks of generators: accounts, tokens, deployments, sampling."""

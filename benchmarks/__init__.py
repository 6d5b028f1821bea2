"""Figures against the libraries underneath: one module is one benchmark with a `main()` that prints ratios."""

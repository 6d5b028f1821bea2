"""One file is one kind of input."""

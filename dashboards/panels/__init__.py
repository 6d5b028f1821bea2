"""The cards of each page, drawn from the answers of one sheet."""

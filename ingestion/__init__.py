"""Repeats what one source said: records in, events or a refusal with its reason out."""

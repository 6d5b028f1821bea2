"""Pictures as pure functions: frames, shades and words in, a Plotly dict out."""

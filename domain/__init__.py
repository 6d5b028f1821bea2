"""What happened, what we promised, and the log that keeps both."""

"""Everything derived from the log: persons, timelines, facts and KPIs; all of it can be computed again."""

"""Cases, decisions, deadlines and reports, in SQL."""

"""Cases: findings and duties about a subject, what a person decided, and the reports that came of it.

`store.CaseStore` keeps them, `draft.draft_report` writes the report before it has a format.
"""

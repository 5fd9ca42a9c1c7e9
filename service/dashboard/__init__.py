"""The pages for people: list of studies, one study with its images before and after, what was refused.

Rendered on the server from the same answers that the API gives; the one script only refreshes, toggles and retries.
Everything is served from this package: a reading room has no internet.
"""

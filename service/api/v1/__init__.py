"""The routes of version 1 of the API, under /api/v1; one file for each noun."""

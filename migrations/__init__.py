"""Alembic migrations of the study registry: `env.py` runs them, `versions/` holds one file per change of schema."""

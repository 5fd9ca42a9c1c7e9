"""`softray doctor`: everything softray stands on, looked at once, while it runs or not; safe to run at any time."""

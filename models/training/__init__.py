"""Training of the shipped models on the CPU, from public data: `python -m models.training`."""

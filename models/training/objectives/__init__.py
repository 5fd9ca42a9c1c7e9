"""What the engine can train: one module per kind of training, and the losses that they share."""

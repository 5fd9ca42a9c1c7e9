"""Training of every network that softray runs, on folders of pairs: what `softray train` does."""

"""The training engine: any objective over any networks, interrupted and resumed to the bit."""

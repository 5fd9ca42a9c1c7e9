"""One file per claim; each prints its figure. Machines are noisy: read the ratios of one run, not the seconds."""

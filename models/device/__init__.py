"""What concerns the device and no particular network: memory, CUDA graphs, the rate of its matrix products."""

"""BS-Diff: diffusion in pixels conditioned on the radiograph, then enhancement (ISBI 2024, arXiv 2311.15328).

`unet` predicts the noise of stage 1, `autoencoder` is stage 2, `config` describes both, `predict` is the whole path on
one screen.
"""

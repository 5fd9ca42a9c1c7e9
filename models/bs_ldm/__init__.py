"""BS-LDM: latent diffusion conditioned on the radiograph (Sun et al., IEEE JBHI 2025, arXiv 2412.15670).

`vqgan` turns pixels into quantised latents and back, `unet` is the noise-prediction network, `config` describes both,
`predict` is the whole path on one screen.
"""

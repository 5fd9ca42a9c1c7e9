"""How well a soft-tissue image matches a dual-energy truth: honest figures, and the published ones with their flaws.

`honest` is what this project trains and is judged by, `published` what papers quote, `lpips` the perceptual distance,
`nodule` what a result leaves of a nodule, `body` where the patient is, `tone` the fit that takes a scanner's tone out.
"""

from models.metrics.honest import Scores, bone_left, detail_kept, score, tone_fitted_psnr
from models.metrics.tone import fit

__all__ = ["Scores", "bone_left", "detail_kept", "fit", "score", "tone_fitted_psnr"]

"""The networks: tensors in, tensors out.

A method has a folder of its own (`bs_ldm`, `residual_unet`), whose one-screen `predict.py` gives the bone residual of a
radiograph. What the methods share lies beside them: the noise schedule, the samplers, the weights' manifest and their
loading. Callers outside use `library.load`, which returns a `Suppressor`, and know no method by name. Nothing here
reads DICOM, a database or a setting.
"""

"""The DICOM side of softray: what arrives, whether it is ours, its pixels, and the derived object that goes back.

The pure core (``eligibility``, ``pixels``, ``derived``, ``uids``, ``radiograph`` and what they are split into) knows no
network, clock, database or network model; the association side (``handlers``, ``intake`` …) stands on it.
"""

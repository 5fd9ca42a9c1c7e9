"""Words that name the chest, or another part of the body, in a console's descriptions; a site may add its own.

They are matched whole and in lower case, and only where the coded body part is silent.
"""

from __future__ import annotations

CHEST_WORDS = frozenset([
    "chest", "thorax", "thoracic", "lung", "lungs", "cxr", "pulmonary", "torax", "tórax", "torace", "poumon",
    "poumons", "lunge", "brust", "胸部",
])  # fmt: skip
OTHER_PART_WORDS = frozenset([
    "rib", "ribs", "hemithorax", "clavicle", "clavicula", "sternum", "spine", "tspine", "bws", "lws", "abdomen",
    "kub", "pelvis", "shoulder", "scapula", "neck", "skull", "hip", "knee", "babygram", "phantom", "rippen",
])  # fmt: skip

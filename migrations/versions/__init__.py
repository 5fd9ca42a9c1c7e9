"""One file per change of schema, `NNNN_verb_noun.py`, in order; released files never change."""

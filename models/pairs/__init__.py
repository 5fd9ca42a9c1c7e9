"""Pairs for training and evaluation: a chest radiograph and the soft-tissue image of the same exposure.

`folder` reads a prepared folder and is all that trainers and evaluation need; the rest makes such a folder.
"""

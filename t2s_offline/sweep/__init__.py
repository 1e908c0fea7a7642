"""Sweeps: configurations chosen, rendered, trained, measured and stored; resumed by what the store is missing.

Use `run` to sweep, `status` for how far it is, `estimate` for what it will take, `live_cells` for single cells on
demand, `hand_over` and `one_backbone` for one backbone. No learner is imported here.
"""

"""Rendering: scene values from configurations, renderers that draw them, datasets and contact sheets.

Use `renderer` (requests, batches, `get_renderer`, `recipe_renderer`), `dataset` to write a folder and `sheet` for
contact sheets. `builtin` and `tdw` are the renderers with simulation parameters; `fractals` and `dead_leaves` have
none.
"""

"""Rendering: scene values from configurations, renderers that draw them, datasets and contact sheets.

Use `renderer` (requests, batches, `get_renderer`, `recipe_renderer`), `dataset` to write a folder and `sheet` for
pictures of pictures. `builtin` and `tdw` are the embedded renderers; a further one is one file.
"""

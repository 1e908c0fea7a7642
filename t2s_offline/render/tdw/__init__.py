"""The paper's renderer: ThreeDWorld (TDW), live. The only folder that imports the package tdw.

`open_tdw.open_renderer` is what the outside uses. `build` watches the program, `session` talks to it, `commands` says
what to show, `models` what there is to show.
"""

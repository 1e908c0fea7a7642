"""The embedded renderer: NVIDIA Warp kernels, a procedural catalogue, painted backgrounds; CPU or CUDA.

`renderer.open_renderer` is all that the outside uses. `kernel` draws what `stage` places, `catalogue` and `shapes` make
the objects, `materials`, `backgrounds` and `sky` what they look like and stand before.
"""

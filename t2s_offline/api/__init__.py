"""The Python API: what `import t2s_offline` offers, and what the commands call.

Use `table`, `learn`, `predict`, `compare`, `backbones` and `sweep`. Functions take a `Table` and plain values, return
frozen dataclasses or polars frames, and print nothing: `told` is called with lines for people, `progress` with what is
done and what there is to do. Nothing here imports torch, polars, DuckDB or NumPy before it is needed.
"""

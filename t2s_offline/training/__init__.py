"""Networks: building, pre-training, measuring and embedding; backbones as files.

Use `networks` to build, load and save backbones, `pretrain` to train one, `evaluate` to measure one on a task and
`task2vec` to embed a task. Works on arrays of pictures; nothing here opens a store or renders.
"""

"""The reward store: one DuckDB file, or a folder of Parquet, of recipes, tasks, embeddings, backbones and rewards.

Use `reward_store.RewardStore` to read and write rows, `query` for SQL, `spool` for rows of other processes,
`import_export` and `table_folders` for files. Only this folder opens DuckDB; nothing here imports torch.
"""

"""Pictures for networks: reading files and folders, parts of tasks, training sets and augmentation.

Use `task_data.load_task` for a downstream task, `image_files` for folders, `training_set` and `augment` to pre-train.
Nothing here uses a network or a renderer.
"""

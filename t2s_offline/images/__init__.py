"""Pictures on their way to a network: files and folders read, parts carved, training sets and augmentation.

Use `task_data.load_task` for a downstream task, `image_files` for folders, `training_set` and `augment` to pre-train.
Nothing here knows a network or a renderer.
"""

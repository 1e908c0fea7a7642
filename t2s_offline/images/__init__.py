"""Pictures for networks: reading files and folders, parts of tasks, training sets and augmentation.

Use `task_data.load_task` for a downstream task, `image_files` for folders, `training_set` and `augment` to pre-train.
`hub_download` and torchvision's datasets are all that use a network, and only for a place that a person names or for
`tasks --download`. Nothing here uses a renderer.
"""

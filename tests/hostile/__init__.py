"""What strangers may send, made by a script: see `make.py`."""

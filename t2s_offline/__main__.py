"""``python -m t2s_offline`` is the command ``t2s-offline``."""

from t2s_offline.cli import main

main()

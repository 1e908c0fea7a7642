"""What is missing on this machine, and what to do about it.

Use `checks`: each check answers with a state and one line of advice. Nothing is installed or changed.
"""

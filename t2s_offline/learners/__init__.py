"""Learners: rewards and embeddings in, a policy out; and what learners are worth.

Use `registry` for learners by name, `policy` to save and load policies, `predict` for a task, `compare` and `shortlist`
to judge. No learner renders, trains or opens a store: it sees arrays. That is what makes the learners offline.
"""

"""Learners make policies from rewards and embeddings; `compare` and `shortlist` measure how good the policies are.

`registry` lists the learners by name, `policy` saves and loads a policy, `predict` asks one about a task, `estimators`
has the learners as scikit-learn estimators. Nothing here renders, trains networks on pictures or opens a store.
Learners see arrays only, so they can be replayed on any reward table.
"""

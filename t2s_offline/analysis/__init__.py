"""Statistics of reward tables: contrasts, effects of parameters, noise of seeds, intervals, ties, ranks, oracles.

Use `effects` for what a parameter does, `seed_noise` for signal against noise, `intervals` for 95 % intervals of means,
`oracle` for what the best configuration is worth, `ranked_tasks` and `ranks` for what can be told apart.
Everything takes arrays or a `RewardMatrix`; nothing here opens a store.
"""

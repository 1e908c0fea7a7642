"""Statistics of reward tables: contrasts, effects of parameters, noise of seeds, intervals, ties.

Use `effects` for what a parameter does, `seed_noise` for signal against noise, `intervals` for 95 % intervals of means.
Everything takes arrays or a `RewardMatrix`; nothing here opens a store.
"""

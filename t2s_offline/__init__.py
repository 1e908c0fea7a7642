"""Task2Sim as a precomputed reward table with an offline bandit learner."""

__version__ = "0.1.0"

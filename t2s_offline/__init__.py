"""Task2Sim as a precomputed reward table with an offline bandit learner.

A reward table holds the accuracy that a backbone reaches on each downstream task, for each configuration of the
simulator whose pictures it was pre-trained on. A policy learned from a table says which configuration to pre-train
with for a task.

    open_table      a table folder, a DuckDB file or the name of a table that ships -> Table
    learn           a table -> a policy, by Algorithm 1 of the paper
    load_policy     a folder that `policy.save` or `t2s-offline learn` wrote -> the policy
    predict         a policy and a task, or a folder of pictures -> the configuration to pre-train with
    compare         a table -> a polars frame: what learners are worth beside the baselines
    load_backbone   a backbone's file -> a torch module that maps pictures to features
    classify        new pictures and what a prediction handed over -> a polars frame: their classes

    import t2s_offline as t2s

    table = t2s.open_table("tables/cpu")
    policy = t2s.learn(table, leave_out=["digits"], on_miss="model")
    print(t2s.predict(policy, table, "digits", measure=8).configuration)

Everything that goes wrong on purpose is a `t2s_offline.errors.T2SError` with one line of text. Eleven recipes are in
docs/python.md. Importing this module imports no other package: each name is loaded when it is first used.
"""

TYPE_CHECKING = False  # type checkers take a variable of this name for true; importing typing takes milliseconds
if TYPE_CHECKING:
    from t2s_offline.api.backbones import load_backbone as load_backbone
    from t2s_offline.api.classify import classify as classify
    from t2s_offline.api.compare import compare as compare
    from t2s_offline.api.learn import learn as learn
    from t2s_offline.api.learn import load_policy as load_policy
    from t2s_offline.api.predict import predict as predict
    from t2s_offline.api.table import open_table as open_table

__version__ = "0.1.0"
__all__ = ["classify", "compare", "learn", "load_backbone", "load_policy", "open_table", "predict"]

if not TYPE_CHECKING:  # a type checker would take any name for one that is here

    def __getattr__(name: str) -> object:
        """The function of that name, whose module is imported now."""
        from importlib import import_module

        homes = {"open_table": "table", "load_policy": "learn", "load_backbone": "backbones"}
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = getattr(import_module(f"{__name__}.api.{homes.get(name, name)}"), name)
        globals()[name] = found
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__} - {"__dir__", "__getattr__"})

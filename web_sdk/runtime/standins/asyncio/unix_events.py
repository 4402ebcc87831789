from . import events

__all__ = ("DefaultEventLoopPolicy",)


class DefaultEventLoopPolicy(events.BaseDefaultEventLoopPolicy):
    """What Pyodide's own policy is made of."""

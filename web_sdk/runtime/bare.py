"""Runs in Pyodide, for the build, before slim.py and settle.py: code without what only a person reads."""

from types import CodeType


def bare(code: CodeType) -> CodeType:
    """Return code that knows neither its lines nor the classes around it: a fourth of it, and no page shows them."""
    constants = tuple(bare(one) if isinstance(one, CodeType) else one for one in code.co_consts)
    return code.replace(co_consts=constants, co_linetable=b"", co_qualname=code.co_name)

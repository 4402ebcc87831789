# asyncio knows these by name; threads and processes, which make such futures, a page has none of.
FIRST_COMPLETED, FIRST_EXCEPTION, ALL_COMPLETED = "FIRST_COMPLETED", "FIRST_EXCEPTION", "ALL_COMPLETED"


class Error(Exception):
    pass


class CancelledError(Error):
    pass


class InvalidStateError(Error):
    pass


TimeoutError = TimeoutError


class Future:
    pass


class Executor:
    pass


class ThreadPoolExecutor(Executor):
    def __init__(self, *args, **kwargs):
        raise RuntimeError("can't start new thread: a page has one")

# A page has one thread.
from _thread import RLock, allocate_lock, get_ident
from _thread import _local as local  # noqa: F401

Lock = allocate_lock

TIMEOUT_MAX = 4294967.0
_excepthook = excepthook = None


class Thread:
    name, daemon, ident = "MainThread", False, get_ident()

    def __init__(self, *args, **kwargs):
        self._native_id = None

    def start(self):
        raise RuntimeError("can't start new thread: a page has one")

    def is_alive(self):
        return True


class Condition:
    def __init__(self, lock=None):
        self._lock = lock or RLock()
        self.acquire, self.release = self._lock.acquire, self._lock.release

    def __enter__(self):
        return self._lock.__enter__()

    def __exit__(self, *failed):
        return self._lock.__exit__(*failed)

    def notify(self, n=1):
        pass

    notify_all = notify

    def wait(self, timeout=None):
        raise RuntimeError("nobody else could end the waiting: a page has one thread")


class Event:
    def __init__(self):
        self._flag = False

    def is_set(self):
        return self._flag

    def set(self):
        self._flag = True

    def clear(self):
        self._flag = False

    def wait(self, timeout=None):
        return self._flag


_main = Thread()


def current_thread():
    return _main


main_thread = current_thread


def enumerate():
    return [_main]


def active_count():
    return 1


def _shutdown():
    pass


def _register_atexit(function, *args, **kwargs):
    pass

# What Pyodide asks when it starts; its snapshot has a place for loadedPackages.
from pyodide_js import loadedPackages  # noqa: F401


class Folder:
    def __init__(self, path):
        self.path = path

    def __str__(self):
        return self.path


SITE_PACKAGES = Folder("/lib/python3.13/site-packages")
DSO_DIR = Folder("/usr/lib")


def init_loaded_packages():
    """There are none."""

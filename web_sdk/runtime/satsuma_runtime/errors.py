"""What can go wrong in a build."""

from satsuma.errors import SatsumaError


class BuildError(SatsumaError):
    """The runtime can't be built; the message says what to install or mend."""

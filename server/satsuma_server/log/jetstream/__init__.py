"""The log on NATS JetStream, an engine that keeps each event on several machines.

It has the same promises as the embedded one (see `satsuma_server.log`), for any number of collectors at once.
"""

from __future__ import annotations

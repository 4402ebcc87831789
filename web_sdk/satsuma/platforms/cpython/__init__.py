"""What the platforms of CPython share: the thread that sends, HTTP, errors for the app, and events as JSON.

`satsuma.platforms.server` and `satsuma.platforms.device` are built on it. Apps use those.
"""

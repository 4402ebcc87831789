"""A backup of everything that a collector keeps, made while it runs, and its restoration elsewhere.

What is built from the log is copied before the log is. So in a backup no follower is ahead of the log: after a
restoration each goes on at its own place, and builds what it had not built when it was copied.
"""

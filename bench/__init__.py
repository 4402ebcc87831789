"""Benchmarks: ours beside a peer or a baseline in one run, told as a ratio with its spread."""

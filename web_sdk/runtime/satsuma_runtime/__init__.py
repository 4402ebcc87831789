"""The runtime build: Pyodide and the SDK become hashed, compressed files that a collector serves."""

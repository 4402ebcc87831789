"""The browser under Pyodide: the only package that imports `js` and `pyodide`."""

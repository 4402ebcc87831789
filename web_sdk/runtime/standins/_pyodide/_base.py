# It runs code that a page's JavaScript gives Python as text; this interpreter is given none. Pyodide imports by it.
from importlib import import_module

pyimport_impl = import_module
CodeRunner = eval_code = eval_code_async = find_imports = should_quiet = None

# What Pyodide asks for each method of its own, as it starts.
def get_cmeth_docstring(func):
    return ""


def dedent_docstring(docstring):
    return docstring

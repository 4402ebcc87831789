# Default of arguments of asyncio's abstract loop.
PIPE = -1

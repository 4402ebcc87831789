# Defaults of arguments of asyncio's abstract loop.
AF_UNSPEC = 0
AI_PASSIVE = 1

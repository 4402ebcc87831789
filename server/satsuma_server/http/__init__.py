"""What all HTTP routes of the collector share: tokens, query parameters, responses, timeouts, metrics, the server."""

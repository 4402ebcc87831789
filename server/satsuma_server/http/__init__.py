"""What every HTTP answer of the collector shares: tokens, timeouts, responses, metrics, the read API."""

"""Satsuma Grove, a demo shop for testers, which embeds the snippet as any site would."""

"""Satsuma Grove: the demo shop that testers play with, embedding the snippet as any site would."""

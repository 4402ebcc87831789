"""What the console's screens show, computed from events and profiles without HTTP."""

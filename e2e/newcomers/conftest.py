"""Projects of other people, which use the plugin as anybody does: they are run, each in a process of its own."""

collect_ignore = ["projects"]

"""Notes in a terminal, with Textual. The analytics run beside its event loop, and never hold it up.

usage: python examples/notes.py COLLECTOR [FOLDER]
"""

from __future__ import annotations

import sys
from typing import ClassVar

from satsuma.platforms import device
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Footer, Header, Input, Label


class Login(Screen[str]):
    """Asks who it is."""

    def compose(self) -> ComposeResult:
        yield Label("Who are you?")
        yield Input(placeholder="your userId")

    def on_input_submitted(self, submitted: Input.Submitted) -> None:
        submitted.stop()  # It is no note.
        self.dismiss(submitted.value)


class Notes(App[None]):
    """A list of notes."""

    TITLE = "Notes"
    BINDINGS: ClassVar[list[BindingType]] = [
        ("ctrl+l", "login", "Log in"),
        ("ctrl+g", "logout", "Log out"),
    ]

    def __init__(self, client: device.Client) -> None:
        super().__init__()
        self._client = client

    def compose(self) -> ComposeResult:
        yield Header()
        yield Input(placeholder="A new note")
        yield VerticalScroll()
        yield Footer()

    def on_mount(self) -> None:
        self._client.describe(screen={"width": self.size.width, "height": self.size.height})
        self._client.screen("Notes")

    def on_input_submitted(self, submitted: Input.Submitted) -> None:
        """Keep a note."""
        if submitted.value:
            self.query_one(VerticalScroll).mount(Label(submitted.value))
            # How long a note is may be told. What it says is nobody's business.
            self._client.track("Note Added", {"characters": len(submitted.value)})
            submitted.input.clear()

    def action_login(self) -> None:
        self._client.screen("Login")
        self.push_screen(Login(), self._logged_in)

    def _logged_in(self, user_id: str | None) -> None:
        if user_id:
            self._client.identify(user_id)
            self._client.track("Signed In")
            self.sub_title = user_id

    def action_logout(self) -> None:
        self._client.track("Signed Out")
        self._client.reset()
        self.sub_title = ""


def main(collector: str, folder: str | None = None) -> None:
    """Run the app, and send what is left at its end."""
    about = device.App("Notes", "2.1", namespace="com.example.notes")
    with device.Client("example", collector, app=about, folder=folder, exit_timeout=5) as client:
        Notes(client).run()


if __name__ == "__main__":
    main(*sys.argv[1:])

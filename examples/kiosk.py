"""A ticket machine without a browser: a loop that waits for a button. It sells on while there is no network.

usage: python examples/kiosk.py COLLECTOR [FOLDER]
"""

from __future__ import annotations

import sys

from satsuma.platforms.device import App, Client

PRICES = {"single": 3.2, "day": 8.6}
HELP = "single, day: buy a ticket / card NUMBER: show your customer card / done: next customer / off: switch off"


class Kiosk:
    """The machine, and what its customers do."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def press(self, button: str) -> str:
        """Do what a customer asks for; return what the screen shows then."""
        name, _, detail = button.strip().partition(" ")
        match name:
            case "single" | "day":
                self._client.track("Order Completed", {"ticket": name, "total": PRICES[name], "currency": "EUR"})
                return f"Your ticket: {name}, {PRICES[name]:.2f} EUR"
            case "card" if detail:
                # From here on, all that this customer has done at the machine is theirs.
                self._client.identify(detail)
                self._client.track("Signed In", {"method": "card"})
                return f"Welcome, {detail}"
            case "done":
                self._client.track("Session Ended")
                self._client.reset()  # The next customer is somebody else.
                self._client.screen("Start")
                return "Goodbye"
        return HELP

    def run(self) -> None:
        """Wait for buttons until the machine is switched off."""
        self._client.screen("Start")
        print(HELP, flush=True)
        for button in sys.stdin:
            if button.strip() == "off":
                break
            print(self.press(button), flush=True)


def main(collector: str, folder: str | None = None) -> None:
    """Run the machine, and send what is left when it is switched off."""
    app = App("Ticket machine", "1.0", namespace="com.example.tickets")
    with Client("example", collector, app=app, folder=folder, exit_timeout=5) as client:
        Kiosk(client).run()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""What people do in the demo shop."""

from __future__ import annotations

from pytest_satsuma import Visitor


class Shopper:
    """What people do in the shop."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.page = visitor.page

    def fill(self, form: str, **fields: str) -> None:
        """Send a form, and wait for the page that follows."""
        for name, text in fields.items():
            self.page.fill(f"#{form} [name={name}]", text)
        with self.page.expect_navigation():
            self.page.click(f"#{form} .button")
        self.visitor.wait_for_boot()

    def subscribe(self, first: str, last: str, email: str) -> None:
        """Sign up for the newsletter."""
        self.visitor.visit("/newsletter")
        self.fill("newsletter", first_name=first, last_name=last, email=email)

    def register(self, name: str, email: str, password: str = "stapler") -> str:
        """Make an account; return the userId that the shop's database gave."""
        self.visitor.visit("/register")
        self.fill("register", name=name, email=email, password=password)
        return self.page.inner_text("main code")

    def login(self, email: str, password: str = "stapler") -> str:
        """Log in; return the userId."""
        self.visitor.visit("/login")
        self.fill("login", email=email, password=password)
        return self.page.inner_text("main code")

    def logout(self) -> None:
        """Log out, which resets analytics."""
        with self.page.expect_navigation():
            self.page.click("text=Log out")
        self.visitor.wait_for_boot()

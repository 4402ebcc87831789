"""What people do in the demo shop."""

from __future__ import annotations

from pytest_satsuma import Visitor


class Shopper:
    """What people do in the shop."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor

    def fill(self, form: str, **fields: str) -> None:
        """Send a form, and wait for the page that follows."""
        page = self.visitor.page
        for name, text in fields.items():
            page.fill(f"#{form} [name={name}]", text)
        with page.expect_navigation():
            page.click(f"#{form} .button")
        self.visitor.wait_for_boot()

    def subscribe(self, first: str, last: str, email: str) -> None:
        """Sign up for the newsletter."""
        self.visitor.visit("/newsletter")
        self.fill("newsletter", first_name=first, last_name=last, email=email)

    def register(self, name: str = "Peter Gibbons", email: str = "peter@example.com", password: str = "stapler") -> str:
        """Make an account; return the userId that the shop's database gave."""
        self.visitor.visit("/register")
        self.fill("register", name=name, email=email, password=password)
        return self.visitor.page.inner_text("main code")

    def login(self, email: str = "peter@example.com", password: str = "stapler") -> str:
        """Log in; return the userId."""
        self.visitor.visit("/login")
        self.fill("login", email=email, password=password)
        return self.visitor.page.inner_text("main code")

    def change(self, **fields: str) -> None:
        """Change the account."""
        self.visitor.visit("/account")
        self.fill("account", **fields)

    def logout(self) -> None:
        """Log out, which resets analytics."""
        with self.visitor.page.expect_navigation():
            self.visitor.page.click("text=Log out")
        self.visitor.wait_for_boot()

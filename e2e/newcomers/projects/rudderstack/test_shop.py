from pytest_satsuma import ExpectEvent, Visitor


def test_a_customer_is_known_next_month_and_forgotten_after_a_year(
    visitor: Visitor, expect_event: ExpectEvent, expect_same_visitor, expect_new_visitor, expect_identified
) -> None:
    visitor.visit("/")
    anonymous_id = expect_event(type="page")["anonymousId"]
    visitor.page.click("text=Sign up")
    expect_identified(visitor, "user-7", traits={"plan": "lime"})
    expect_event("Signed Up", user_id="user-7", anonymous_id=anonymous_id)
    before = visitor.identity
    visitor.leave()
    visitor.after(days=30)
    visitor.visit("/")
    expect_same_visitor(before, visitor)
    # This library keeps ids in cookies only: what analytics.js finds again in localStorage is lost here.
    visitor.after(days=400)
    visitor.visit("/")
    expect_new_visitor(before, visitor)


def test_who_logs_out_is_somebody_new(visitor: Visitor, expect_event: ExpectEvent, expect_new_visitor) -> None:
    visitor.visit("/")
    visitor.page.click("text=Sign up")
    expect_event("Signed Up")
    before = visitor.identity
    visitor.page.click("text=Log out")
    expect_new_visitor(before, visitor)

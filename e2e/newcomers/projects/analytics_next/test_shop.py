from pytest_satsuma import ExpectEvent, Visitor


def test_a_customer_is_known_a_year_later(visitor: Visitor, expect_event: ExpectEvent, expect_same_visitor) -> None:
    visitor.visit("/")
    visitor.page.click("text=Sign up")
    expect_event("Signed Up", user_id="user-42", properties={"plan": "free", "seats": int})
    before = visitor.identity
    visitor.after(days=366)
    assert not visitor.cookies.all()
    visitor.visit("/lemons")
    expect_same_visitor(before, visitor)
    expect_event(type="page", user_id="user-42", properties={"path": "/lemons"})
    assert 364 < visitor.cookies.all()["ajs_user_id"].expires_in_days <= 365


def test_who_logs_out_is_somebody_new(visitor, new_device, expect_order, expect_new_visitor, expect_no_event) -> None:
    visitor.visit("/")
    visitor.page.click("text=Sign up")
    expect_order("page", "identify", "Signed Up")
    before = visitor.identity
    visitor.page.click("text=Log out")
    visitor.until(lambda: visitor.identity.is_empty, "reset")
    visitor.leave()
    visitor.visit("/")
    expect_new_visitor(before, visitor)
    expect_no_event("Signed Out")
    other = new_device()
    other.visit("/")
    expect_new_visitor(visitor.identity, other)

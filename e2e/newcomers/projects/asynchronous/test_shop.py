from pytest_satsuma import AsyncExpectations, AsyncVisitor


async def test_a_customer_signs_up_and_is_forgotten_after_a_year(
    visitor: AsyncVisitor, async_expectations: AsyncExpectations
) -> None:
    expect = async_expectations
    await visitor.visit("/")
    page = await expect.event(type="page")
    await visitor.page.click("text=Sign up")
    await expect.event("Signed Up", user_id="user-7", anonymous_id=page["anonymousId"])
    await expect.identified(visitor, "user-7")
    before = await visitor.identity
    other = await visitor.new_tab()
    await other.visit("/")
    await expect.same_visitor(before, other)
    await other.leave()
    await visitor.cookies.expire("rl_user_id")
    assert "rl_user_id" not in await visitor.cookies.all()
    await visitor.after(days=400)
    await visitor.visit("/")
    await expect.new_visitor(before, visitor)
    await expect.no_event("Signed Out", within=0.1)

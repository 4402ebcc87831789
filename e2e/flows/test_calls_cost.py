"""What a call that changes nothing does to the page's cookies and localStorage: it looks, and leaves them alone."""

from __future__ import annotations

from pytest_satsuma import Visitor

SPY = """{
    window.written = [];
    const cookie = Object.getOwnPropertyDescriptor(Document.prototype, "cookie");
    Object.defineProperty(document, "cookie", { ...cookie, configurable: true,
        set(text) { written.push(text.split("=")[0]); cookie.set.call(document, text); } });
    const set = Storage.prototype.setItem;
    Storage.prototype.setItem = function (key, text) { written.push(key); return set.call(this, key, text); };
}"""
TRACK = "() => analytics.track('Looked').then(() => written.filter((name) => name.startsWith('ajs_')))"


def test_a_call_that_changes_nothing_writes_no_identity(visitor: Visitor) -> None:
    visitor.page.add_init_script(SPY)
    visitor.visit("/")
    visitor.evaluate("() => analytics.identify('u1', {plan: 'pips'}).then(() => null)")
    visitor.evaluate("() => { written.length = 0; }")
    assert visitor.evaluate(TRACK) == []


def test_a_cookie_that_another_tab_has_changed_counts_at_the_very_next_call(visitor: Visitor) -> None:
    visitor.page.add_init_script(SPY)
    visitor.visit("/")
    visitor.evaluate("() => analytics.identify('u1').then(() => null)")
    visitor.evaluate(
        "() => { document.cookie = 'ajs_anonymous_id=of-another-tab; path=/; max-age=60'; written.length = 0; }"
    )
    assert "ajs_anonymous_id" in visitor.evaluate(TRACK), "it is given a year, and localStorage follows"
    assert visitor.evaluate("() => analytics.user().anonymousId()") == "of-another-tab"
    assert visitor.evaluate(TRACK.replace("() =>", "() => (written.length = 0, ", 1) + ")") == []

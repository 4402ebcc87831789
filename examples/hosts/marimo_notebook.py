"""A notebook for `marimo export html-wasm`. Its page gets the two scripts of head.html."""

import marimo

app = marimo.App(html_head_file="head.html")


@app.cell
async def _():
    import micropip

    await micropip.install("http://127.0.0.1:8000/analytics.js/satsuma-0.2.0-py3-none-any.whl")

    from satsuma.platforms.browser import load

    analytics = load("hosted")
    analytics.identify("u1")
    await analytics.track("Hosted", {"seen": await analytics.user().anonymous_id()})
    return


if __name__ == "__main__":
    app.run()

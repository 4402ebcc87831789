"""The differences that are meant, and why."""

REASONS = {
    "alias": (
        "An alias names the id that it was given. The reference puts the current userId in its place as soon as there "
        "is one, so that a known visitor's alias links an id to itself."
    ),
    "early-order": (
        "Calls made before the library is up happen in the order in which they were made, and each says who the "
        "visitor was then. The reference plays them method by method, so that a track after an identify is sent "
        "before it, and takes the userId as it is at the time of sending."
    ),
    "group-anonymous-id": (
        "A group has no anonymousId. The reference's group turns into a user when it is loaded, and answers the "
        "visitor's."
    ),
    "legacy-group": (
        "The oldest library's cookie `ajs_user` names a user. The reference takes it for the group's id and traits too."
    ),
    "unsendable": (
        "An event that holds a value JSON can't carry is sent without that value, with a warning on the console that "
        "names the place: a cycle, what throws as it is read, a part of the page, and objects that refer to each other "
        "beyond an event's bounds. A BigInt is sent as text. The reference loses the event."
    ),
    "diagnostics": (
        "Where a cookie or localStorage had lost an id that was healed, where there was a second cookie of the same "
        "name, or where requests failed, the next event tells so in `context.satsuma`, for whoever looks for the "
        "cause. Other events have no such thing."
    ),
    "strays": (
        "A cookie that has the name of an id, and lies where the library keeps none, is removed: it would outlive a "
        "`reset()`, and could be taken for the next visitor's id. The reference leaves it."
    ),
    "recovered-first": (
        "What an earlier page has left in analytics.js's own queue in localStorage is sent before the events of this "
        "page, whose order it keeps. The reference sends it a moment later."
    ),
    "literal-id": (
        "An id is text, however it looks: `1e5` stays `1e5`. The reference reads cookies as JSON, so that it becomes "
        "`100000`. An id that can't be told from JSON (`null`, or a text in quotes) is a JSON string in its cookie, "
        "which the reference reads as that text."
    ),
    "logout": (
        "Who has logged out in one tab stays logged out in the others, which were open meanwhile. The reference's "
        "other tabs remember the visitor, and write them into cookie and localStorage again. (Nor does another "
        "sub-domain, whose localStorage does so with the reference.)"
    ),
    "links": (
        "At a click on a tracked link, or as a tracked form is sent, the browser does what it would have done by "
        "itself, once: a form is sent with the button that was pressed and to that button's address; what a handler of "
        "the page refuses is not done; a form that is tracked twice is sent once; and a click beside a link follows "
        "none. Only where the page is left does that wait for the event. The reference sends the form by itself and "
        "opens the first address that it finds, whatever the page says."
    ),
    "times": (
        "The option `timestamp` may be seconds since 1970, too, and one that can't be read is warned of; the event "
        "then has the time of its call. The reference sends either as it is, and Segment makes 1970 or the present of "
        "it."
    ),
    "late-identity": (
        "An event that waits for the network says who the visitor was at its call. The reference fills in the userId "
        "that there is at the time of sending."
    ),
    "no-number": (
        "`NaN` is nobody's id: the call counts as one without an id. The reference makes the text `NaN` of it, by "
        "which all visitors with that mistake are one."
    ),
    "alias-from": (
        "An alias has its previousId from the beginning. The reference adds it at the time of sending, so that no "
        "plugin sees it."
    ),
    "copies": (
        "An event holds its properties as they were at the call. The reference goes on with the page's own object, and "
        "what either changes later the other has, too."
    ),
    "taken-out": (
        "An id that a plugin takes out of an event stays out, unless nothing would be left to say whose event it is. "
        "The reference puts it in again."
    ),
    "returns-nothing": (
        "A `before` plugin that returns nothing has let the event pass. The reference tries ten times, and drops it."
    ),
    "no-load": "A plugin needs no `load`. The reference leaves out one that has none.",
    "destination-middleware": (
        "Destination middleware works for every destination of the page. The reference applies it only to those that "
        "its settings have loaded, and says nothing of that."
    ),
    "listeners": (
        "A listener that throws is warned of, and the call settles. The reference rejects the call, whose event was "
        "sent."
    ),
    "own-plugins": (
        "What stands for our own plugins in `analytics.queue.plugins` has their names, types and versions only: they "
        "are Python, and have no methods that a page could call."
    ),
    "debug": "`analytics.debug()` writes a line for each event. The reference writes two tables.",
    "jquery-forms": (
        "`trackForm` takes a jQuery object, as `trackLink` does. The reference's rejects it with a TypeError."
    ),
    "halves": (
        "A batch of several events that was refused for its size or content is sent again in halves, so that only the "
        "event that is refused alone is lost. The reference drops all of it."
    ),
    "told-at-once": (
        "A call knows at once that its event, or the batch with it, was refused or has no try left. The reference "
        "drops a batch silently, and tells a moment after the call that an event's tries are used up."
    ),
    "kept-order": (
        "Events keep their order: while one is tried again, those behind it wait. The reference sends them past it."
    ),
    "full-batches": (
        "A batch is full at 450 KB of what is sent. The reference also counts a time of sending for each event, which "
        "it then leaves out, and sends a few events less together."
    ),
    "hidden-once": (
        "What was sent as the page was hidden is not sent again with the batch that follows. The reference sends it "
        "twice."
    ),
    "redirects": (
        "An event that was answered by a redirect without a `Location` is tried again, since nothing has stored it. "
        "The reference takes any answer below 400 for an acknowledgement."
    ),
    "classic-fallback": (
        "There is no older library to fall back to. Where a page's Content-Security-Policy forbids WebAssembly, the "
        "collector makes events of the page's calls; where it forbids the loader, the snippet hands them over. The "
        "reference, if its files come from Segment's own CDN, loads analytics.js 1 from there."
    ),
    "video-plugins": (
        "The settings' `legacyVideoPluginsEnabled` brings no plugins for videos: they are a package of their own, "
        "which a page that has videos loads by itself. The reference has them among its files."
    ),
    "library-metrics": (
        "Nothing is measured of the library itself but what a page can read (`context.stats`, `analytics.delivery()`). "
        "The reference posts such figures to `/v1/m`."
    ),
    "nothing-stored": (
        "`analytics.storage.set` of `undefined` keeps nothing. The reference keeps the text `undefined`."
    ),
    "nobody": (
        "An event without any id is not sent, with a warning: the tracking API refuses it. The reference posts it."
    ),
}

EVERYWHERE = (
    "messageIds have the specification's form, `ajs-` and 32 hexadecimal digits; the reference's begin with "
    "`ajs-next-`.",
    "`context.library.version` is our own.",
    "The write key travels in the body only; the reference adds an Authorization header, which costs pages of another "
    "origin a preflight.",
    "A batch tells its write key once; the reference tells it in each of the batch's events as well.",
    "Listeners are called as soon as the collector has answered, and after the `timeout` of 300 ms at the latest; "
    "callbacks at that time, answered or not. The reference waits for the answer with both.",
    "Once somebody has said who the visitor is, or reset, a cookie and an item `satsuma_generation` tell which copy of "
    "the ids is the newest.",
    "What waits at the end of a page is handed to the browser as a beacon; the reference writes it to localStorage.",
)
"""What differs in every scenario, and is left out of the comparison."""

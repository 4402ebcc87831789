"""Times and repetitions: what tells when an event happened, and that it counts once."""

from __future__ import annotations

from satsuma_server.audit.calls import call, remark
from satsuma_server.audit.findings import Severity
from satsuma_server.audit.rule import Rule

FIELDS = "Merging Identified and Anonymous user profiles (four timestamps and a message id)"

RULES = (
    Rule(
        id="clock-skew",
        severity=Severity.NOTE,
        title="Clocks of senders are wrong",
        explanation="The timestamp is corrected by the difference of sentAt and receivedAt; originalTimestamp is not.",
        specification=FIELDS,
        population="events with a receivedAt",
        query="""
            SELECT id, id::VARCHAR AS unit,
                abs(date_diff('minute', received_at, sent_at)) || ' minutes ' ||
                CASE WHEN sent_at > received_at THEN 'ahead' ELSE 'behind' END AS detail
            FROM events WHERE sent_at NOT BETWEEN received_at - to_minutes($skew_minutes)
                AND received_at + to_minutes($skew_minutes)""",
        advice="Use timestamp and not originalTimestamp in reports; on servers keep the clock by NTP.",
        share=0.01,
    ),
    Rule(
        id="events-from-the-future",
        severity=Severity.WRONG,
        title="Events happened after they were received",
        explanation="The timestamp was not corrected, mostly since sentAt is missing: order and sessions are off.",
        specification=FIELDS,
        population="events with a timestamp and a receivedAt",
        query="""
            SELECT id, id::VARCHAR AS unit, date_diff('second', received_at, ts) || ' s ahead' AS detail FROM events
            WHERE ts > received_at + INTERVAL 1 MINUTE""",
        advice="Send sentAt with each request, by the clock that gave the timestamps; libraries do so by themselves.",
        fix=(remark("No timestamp of your own: the library's is corrected."), call("track", "Order Completed")),
        share=0.002,
    ),
    Rule(
        id="late-events",
        severity=Severity.NOTE,
        title="Events come long after they happened",
        explanation="Devices were offline, or an import ran: yesterday's numbers still change.",
        specification=FIELDS,
        population="events with a timestamp and a receivedAt",
        query="""
            SELECT id, id::VARCHAR AS unit, date_diff('hour', ts, received_at) || ' hours late' AS detail FROM events
            WHERE ts < received_at - to_hours($late_hours)""",
        advice="Load reports for the last days anew, by receivedAt.",
        share=0.02,
    ),
    Rule(
        id="repeated-messages",
        severity=Severity.HINT,
        title="Messages come more than once",
        explanation="A pipeline that doesn't look at messageId counts them twice. This audit counts each once.",
        specification=FIELDS,
        population="events",
        query="SELECT first_id AS id, first_id::VARCHAR AS unit, times || ' times' AS detail FROM repeated",
        advice="Keep each messageId once where you store events; don't send a request again that was answered.",
        share=0.01,
    ),
    Rule(
        id="missing-sent-at",
        severity=Severity.HINT,
        title="sentAt is missing",
        explanation="Without it nobody can tell a wrong clock from an event that waited.",
        specification=FIELDS,
        population="events",
        query="SELECT id, id::VARCHAR AS unit, library AS detail FROM events WHERE sent_at IS NULL",
        advice="Set sentAt in each request, at the moment when it is sent; libraries do so by themselves.",
        share=0.02,
    ),
)

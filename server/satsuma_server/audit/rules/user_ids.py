"""What a userId is: a static id of the site's own database."""

from __future__ import annotations

from satsuma_server.audit.calls import USER, call, remark
from satsuma_server.audit.findings import Severity
from satsuma_server.audit.rule import Rule

SECTION = "Best options for userIds"
STATIC = (
    remark("The id of your own database, which never changes; the rest are traits."),
    call("identify", USER, {"email": "peter@example.com", "username": "peter"}),
)

RULES = (
    Rule(
        id="user-id-is-email",
        severity=Severity.WRONG,
        title="Email addresses are used as userId",
        explanation="People change their address, and a userId can't be changed: they become somebody else then, and "
        "their history stays with the old address. Every destination also gets the address as a key.",
        specification=SECTION,
        population="userIds",
        query="""
            SELECT first_id AS id, user_id AS unit, user_id AS detail FROM users
            WHERE regexp_full_match(user_id, '[^@\\s]+@[^@\\s]+\\.[^@\\s]+')""",
        advice="Identify with the id that your database gives the account, and send the address as a trait.",
        fix=STATIC,
        least=1,
    ),
    Rule(
        id="user-id-is-phone",
        severity=Severity.WRONG,
        title="Phone numbers are used as userId",
        explanation="Numbers are changed, and given to others: two people become one then.",
        specification=SECTION,
        population="userIds",
        query="""
            SELECT first_id AS id, user_id AS unit, user_id AS detail FROM users
            WHERE regexp_full_match(user_id, '(\\+|00)[0-9][0-9 ()./-]{6,17}[0-9]')
            OR (phone IS NOT NULL AND regexp_replace(user_id, '[^0-9a-zA-Z]', '', 'g')
                = regexp_replace(phone, '[^0-9a-zA-Z]', '', 'g'))""",
        advice="Identify with the id that your database gives the account, and send the number as a trait.",
        fix=(STATIC[0], call("identify", USER, {"phone": "555-555-5555"})),
        least=1,
    ),
    Rule(
        id="user-id-is-user-name",
        severity=Severity.WRONG,
        title="User names are used as userId",
        explanation="A user name can be changed, and a userId can't: whoever takes another name loses their history.",
        specification=SECTION,
        population="userIds",
        query="""
            SELECT first_id AS id, user_id AS unit, user_id AS detail FROM users
            WHERE lower(user_id) = lower(username)
            OR lower(user_id) = regexp_extract(email, '^[^@]+')
            OR (length(full_name) >= 5 AND full_name LIKE '% %' AND regexp_replace(lower(user_id), '[^a-z]', '', 'g')
                = regexp_replace(lower(full_name), '[^a-z]', '', 'g'))""",
        advice="Identify with the id that your database gives the account, and send the name as a trait.",
        fix=STATIC,
        least=1,
    ),
    Rule(
        id="user-ids-of-several-forms",
        severity=Severity.HINT,
        title="One source has userIds of several forms",
        explanation="Two parts of the site take the userId from different places, so that one person may have two.",
        specification=SECTION,
        population="userIds",
        query="""
            WITH formed AS (
                SELECT user_id, first_id, source, CASE
                    WHEN regexp_full_match(user_id, '[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}') THEN 'UUID'
                    WHEN regexp_full_match(user_id, '[0-9a-f]{12,64}') THEN length(user_id) || ' hexadecimal digits'
                    WHEN regexp_full_match(user_id, '[0-9]+') THEN 'whole number'
                    WHEN user_id LIKE '%@%' THEN 'email address'
                    WHEN regexp_matches(user_id, '^[A-Za-z]{1,8}[_:-]') THEN
                        'beginning with ' || regexp_extract(user_id, '^[A-Za-z]+[_:-]')
                    WHEN regexp_full_match(user_id, '[A-Za-z0-9]+') THEN 'letters and digits'
                    ELSE 'other text' END AS form
                FROM users
            ), counted AS (
                SELECT *, count(*) OVER (PARTITION BY source, form) AS same FROM formed
            )
            SELECT first_id AS id, user_id AS unit, form AS detail FROM (
                SELECT *, first_value(form) OVER (PARTITION BY source ORDER BY same DESC, form) AS usual FROM counted
            ) WHERE form <> usual""",
        advice="Choose one id, that of the database, and have all parts of the site and its servers use it.",
        fix=(STATIC[0], call("identify", USER)),
    ),
    Rule(
        id="user-id-changed-by-alias",
        severity=Severity.WRONG,
        title="A userId is changed into another by alias",
        explanation="There is no way to change a userId: what was recorded keeps the old one, and most destinations "
        "count two people.",
        specification="Can you update a userId?",
        population="userIds",
        query="""
            SELECT a.id, a.user_id AS unit, a.previous_id || ' became ' || a.user_id AS detail
            FROM events a JOIN users known ON known.user_id = a.previous_id
            WHERE a.type = 'alias' AND a.user_id <> a.previous_id AND known.is_identified
            AND NOT EXISTS (SELECT * FROM devices d WHERE d.anonymous_id = a.previous_id)""",
        advice="Keep the userId that a person was given first, and change traits only.",
        fix=(
            remark("The same id as ever; only the trait changes."),
            call("identify", USER, {"email": "new@example.com"}),
        ),
        least=1,
    ),
    Rule(
        id="one-email-two-user-ids",
        severity=Severity.WRONG,
        title="One email address stands under two userIds",
        explanation="The same person is counted twice: an account was made twice, or two systems give the userId.",
        specification=SECTION,
        population="userIds with an email address",
        query="""
            SELECT first_id AS id, user_id AS unit, email || ' is also of another userId' AS detail
            FROM users JOIN (
                SELECT email FROM users WHERE email IS NOT NULL GROUP BY email HAVING count(*) > 1
            ) USING (email)""",
        advice="Look the account up by its address before one is made, and identify with the id that is found.",
        fix=(
            remark("The id of the account that exists already."),
            call("identify", USER, {"email": "peter@example.com"}),
        ),
    ),
)

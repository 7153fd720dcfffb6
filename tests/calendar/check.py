"""Reads the calendar files of `calendar_files` with the icalendar package of PyPI and compares every value with the facts the
file was made of. Nothing of ours is used but the bytes. Fails on the first difference.

Needs icalendar 7: Debian's python3-icalendar (4.0.3) takes an escaped backslash before an `n` for a line break.
"""

import json
import re
import sys
from datetime import date, datetime, timedelta, timezone

import icalendar

# Cc, line and paragraph separators, and the marks that reorder text.
BREAKS = re.compile("\r\n|[\r\n\u0085\u2028\u2029]")
DROPPED = re.compile("[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
CALENDAR = {"VERSION", "PRODID", "CALSCALE", "METHOD"}
FEED = {"NAME", "X-WR-CALNAME", "REFRESH-INTERVAL", "X-PUBLISHED-TTL"}
EVENT = {"UID", "SEQUENCE", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "URL", "CATEGORIES", "STATUS", "ORGANIZER"}
MAY_LACK = {"DESCRIPTION", "LOCATION"}
SPACE = "".join(chr(c) for c in range(0x110000) if chr(c).isspace() and not 0x1C <= c <= 0x1F)


def block(text):
    return DROPPED.sub("", BREAKS.sub("\n", text)).strip(SPACE)


def one_line(text):
    return block(text).replace("\n", " ").replace("\t", " ").strip(SPACE)


def same(what, found, expected):
    if found != expected:
        sys.exit(f"{what}: {found!r} is not {expected!r}")


def as_parameter(text):
    """A name as the package gives it back: it takes a backslash in a parameter for an escape, which RFC 5545 does not know."""
    return re.sub(r"\\([,;:\\])", r"\1", one_line(text))


def check_octets(text):
    octets = text.encode()
    assert octets.endswith(b"\r\n"), "the last line has no end"
    lines = octets[:-2].split(b"\r\n")
    for line in lines:
        assert len(line) <= 75 and b"\r" not in line and b"\n" not in line, line
        line.decode("utf-8")
    return len(lines)


def check_instant(what, found, expected):
    if isinstance(expected, str):
        same(what, (type(found.dt), found.dt.isoformat()), (date, expected))
    else:
        same(what, found.dt, datetime.fromtimestamp(expected, timezone.utc))
        same(what + " in UTC", found.dt.utcoffset(), timedelta(0))


def check_event(event, facts, file):
    same("errors", list(event.errors), [])
    lacking = {name for name in MAY_LACK if not block(facts[name.lower()])}
    attendees = set() if file["method"] == "PUBLISH" else {"ATTENDEE"}
    same("properties", {name.upper() for name in event}, EVENT | attendees | (MAY_LACK - lacking))
    same("parts", event.subcomponents, [])
    same("uid", str(event["UID"]), facts["uid"])
    same("sequence", int(event["SEQUENCE"]), facts["sequence"])
    same("status", str(event["STATUS"]), file["status"])
    check_instant("start", event["DTSTART"], facts["starts"])
    check_instant("end", event["DTEND"], facts["ends"])
    same("summary", str(event["SUMMARY"]), one_line(facts["summary"]))
    same("description", str(event.get("DESCRIPTION", "")), block(facts["description"]))
    same("location", str(event.get("LOCATION", "")), one_line(facts["location"]))
    same("url", str(event["URL"]), facts["url"])
    same("categories", [str(word) for word in event["CATEGORIES"].cats], [one_line(word) for word in facts["categories"]])
    people = [event["ORGANIZER"]] + (event["ATTENDEE"] if attendees else [])
    expected = [facts["organizer"]] + (facts["attendees"] if attendees else [])
    same("people", [(p.params.get("CN", ""), str(p)) for p in people], [(as_parameter(n), "mailto:" + a) for n, a in expected])
    for person in people:
        known = {"CN"} if person is people[0] else {"CN", "CUTYPE", "ROLE", "PARTSTAT", "RSVP"}
        assert {name.upper() for name in person.params} <= known, person.params


def check_file(file):
    count = check_octets(file["text"])
    found = icalendar.Calendar.from_ical(file["text"])
    same("errors", list(found.errors), [])
    feed = file["method"] == "PUBLISH"
    same("properties", {name.upper() for name in found}, CALENDAR | (FEED if feed else set()))
    same("version", str(found["VERSION"]), "2.0")
    same("method", str(found["METHOD"]), file["method"])
    if feed:
        for name in ("NAME", "X-WR-CALNAME"):
            # The package knows neither and leaves them encoded; their type is TEXT (RFC 7986, 5.1; RFC 5545, 3.8.8.1).
            decoded = re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], str(found[name]))
            same(name, decoded, one_line(file["name"]))
        same("interval", found["REFRESH-INTERVAL"].dt, timedelta(hours=1))
    same("kinds", [part.name for part in found.subcomponents], ["VEVENT"] * len(file["events"]))
    for event, facts in zip(found.subcomponents, file["events"]):
        check_event(event, facts, file)
    return count


def main():
    stories = lines = 0
    for line in sys.stdin:
        files = json.loads(line)["files"]
        lines += sum(check_file(file) for file in files)
        # A change and a cancellation reach the entry by its identifier, and are newer than what the calendar has.
        first, changed, off = (icalendar.Calendar.from_ical(file["text"]).walk("VEVENT")[0] for file in files[:3])
        same("identifiers", (str(changed["UID"]), str(off["UID"])), (str(first["UID"]),) * 2)
        assert first["SEQUENCE"] < changed["SEQUENCE"] < off["SEQUENCE"]
        stories += 1
    if not stories:
        sys.exit("nothing to read")
    print(f"{stories} stories of a visit, {lines} lines, read by icalendar {icalendar.__version__}: no difference")


main()

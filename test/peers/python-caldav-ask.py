"""Asks by python3-caldav as its documentation shows; prints what it found as JSON.

usage: python-caldav-ask.py URL USERNAME PASSWORD START END ATTENDEE...     (times as 20261118T080000, UTC; with --naive they are sent without a zone)
"""
import datetime
import json
import logging
import sys

import caldav
import vobject
from lxml import etree

D = "{DAV:}"
C = "{urn:ietf:params:xml:ns:caldav}"

arguments = [one for one in sys.argv[1:] if one != "--naive"]
url, username, password, first, last, *attendees = arguments
zone = None if "--naive" in sys.argv else datetime.timezone.utc
# 0.11 takes every answer for a multi-status and logs that a schedule-response is none; what counts is the answer itself.
logging.getLogger("caldav").setLevel(logging.CRITICAL)


def moment(text):
    return datetime.datetime.strptime(text, "%Y%m%dT%H%M%S").replace(tzinfo=zone)


def asked(response):
    """The schedule-response, its calendars read by vobject."""
    answers = []
    for one in etree.fromstring(response).findall(C + "response"):
        data = one.findtext(C + "calendar-data")
        busy = None
        if data is not None:
            component = vobject.readOne(data).vfreebusy
            busy = [
                {"type": line.params["FBTYPE"][0], "noData": "X-FB-NODATA" in line.params, "start": start.isoformat(), "end": end.isoformat() if isinstance(end, datetime.datetime) else str(end)}
                for line in component.contents.get("freebusy", [])
                for start, end in line.value
            ]
            assert component.attendee.value == one.findtext(C + "recipient/" + D + "href"), "the reply is about somebody else"
        answers.append({"recipient": one.findtext(C + "recipient/" + D + "href"), "status": one.findtext(C + "request-status"), "busy": busy})
    return answers


client = caldav.DAVClient(url, username=username, password=password)
principal = client.principal()
posted = []
post = client.post


def remembering(*args, **kwargs):
    response = post(*args, **kwargs)
    posted.append(response)
    return response


client.post = remembering
calendars = principal.calendars()
try:
    principal.freebusy_request(moment(first), moment(last), attendees)
except Exception as error:  # noqa: BLE001 - whatever it makes of the answer, the answer is what is judged
    if not posted:
        raise error
print(
    json.dumps(
        {
            "principal": str(principal.url.path),
            "home": str(principal.calendar_home_set.url.path),
            "calendars": [{"path": str(one.url.path), "name": one.name, "components": one.get_supported_components()} for one in calendars],
            "events": sum(len(one.events()) for one in calendars),
            "addresses": principal.calendar_user_address_set(),
            "inbox": str(principal.schedule_inbox().url.path),
            "outbox": str(principal.schedule_outbox().url.path),
            "scheduling": bool(client.check_scheduling_support()),
            "status": posted[0].status,
            "answers": asked(posted[0]._raw),
        }
    )
)

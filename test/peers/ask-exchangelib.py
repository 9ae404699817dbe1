"""Asks the bridge as exchangelib does; prints one JSON document. Arguments: url, user, password, basic|ntlm, start, end (ISO, with offset), zone, addresses."""
import datetime
import json
import sys

from exchangelib import DELEGATE, Account, Configuration, Credentials, EWSTimeZone
from exchangelib.errors import EWSError
from exchangelib.transport import BASIC, NTLM

url, user, password, scheme, start, end, zone, *addresses = sys.argv[1:]
credentials = Credentials(username=user, password=password)
config = Configuration(service_endpoint=url, credentials=credentials, auth_type=NTLM if scheme == "ntlm" else BASIC)
account = Account(primary_smtp_address="peer@corp.example", config=config, autodiscover=False, access_type=DELEGATE, default_timezone=EWSTimeZone(zone))


def instant(text):
    return datetime.datetime.fromisoformat(text).astimezone(EWSTimeZone(zone))


def view_of(view):
    # Some errors are raised, others are given as answers.
    if isinstance(view, EWSError):
        raise view
    events = [{"start": str(one.start), "end": str(one.end), "type": one.busy_type, "subject": one.details and one.details.subject} for one in view.calendar_events or []]
    return {"type": view.view_type, "merged": "".join(view.merged or []), "events": events}


def ask(*who):
    asked = [(address, "Required", False) for address in who]
    return [view_of(one) for one in account.protocol.get_free_busy_info(accounts=asked, start=instant(start), end=instant(end), merged_free_busy_interval=30, requested_view="DetailedMerged")]


def error_of(*who):
    try:
        return ask(*who) and None
    except EWSError as error:
        return type(error).__name__


def resolved(text):
    return [str(one.email_address) for one in account.protocol.resolve_names([text]) if not isinstance(one, Exception)]


print(json.dumps({
    "version": str(account.version.build),
    "views": ask(*addresses),
    # It gives up at the first answer that is an error.
    "unknown": error_of("nobody@corp.example"),
    "resolved": resolved("kim@zimbra.example"),
    "unresolved": resolved("nobody@elsewhere.example"),
    "zones": len(list(account.protocol.get_timezones())),
}))

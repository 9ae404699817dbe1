"""Searches an LDAP address book as ldap3 does, in pages. Arguments: url, bind DN, password, page size, beginnings of names. Prints a JSON list of lists of addresses."""
import json
import sys

from ldap3 import SUBTREE, Connection, Server
from ldap3.utils.conv import escape_filter_chars

url, user, password, page, *texts = sys.argv[1:]
with Connection(Server(url), user=user, password=password, auto_bind=True) as connection:
    found = []
    for text in texts:
        key = escape_filter_chars(text)
        entries = connection.extend.standard.paged_search("dc=bridge", f"(|(cn={key}*)(sn={key}*)(givenName={key}*)(mail={key}*))", SUBTREE, attributes=["mail"], paged_size=int(page), generator=False)
        found.append([entry["attributes"]["mail"][0] for entry in entries])
print(json.dumps(found))

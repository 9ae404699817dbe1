"""Asks for people as exchangelib does; prints one JSON document. Arguments: url, user, password."""
import json
import sys

from exchangelib import DELEGATE, Account, Configuration, Credentials
from exchangelib.errors import EWSError
from exchangelib.properties import DistinguishedFolderId
from exchangelib.services import FindPeople, GetPersona
from exchangelib.transport import BASIC

url, user, password = sys.argv[1:]
config = Configuration(service_endpoint=url, credentials=Credentials(username=user, password=password), auth_type=BASIC)
account = Account(primary_smtp_address=user, config=config, autodiscover=False, access_type=DELEGATE)
protocol = account.protocol


def resolved(text):
    found = protocol.resolve_names([text], return_full_contact_data=True, search_scope="ActiveDirectory")
    return [[str(mailbox.email_address), mailbox.mailbox_type, contact and contact.given_name, contact and contact.job_title] for mailbox, contact in (one for one in found if not isinstance(one, Exception))]


def members(address):
    try:
        return [str(one.email_address) for one in protocol.expand_dl(address)]
    except EWSError as error:
        return type(error).__name__


def people(text, offset=0):
    service = FindPeople(account=account, page_size=50)
    found = service.call(folder=DistinguishedFolderId(id="directory"), additional_fields=None, restriction=None, order_fields=None, shape="Default", query_string=text and QueryString(text), depth="Shallow", max_items=50, offset=offset)
    return list(found)


class QueryString:
    """What exchangelib makes of a Q with a text only."""

    def __init__(self, text):
        self.text = text

    def to_xml(self, version):
        from exchangelib.util import create_element

        element = create_element("m:QueryString")
        element.text = self.text
        return element


def shown(persona):
    return {"name": persona.display_name, "given": persona.given_name, "address": persona.email_address and persona.email_address.email_address, "type": persona.persona_type}


found = people("kim")
anna = people("anna")[0]
whole = list(GetPersona(account=account).call([anna]))[0]
print(json.dumps({
    "resolved": resolved("kim"),
    "anna": resolved("anna"),
    "nobody": resolved("zzz"),
    "members": members("team@corp.example"),
    "noMembers": members("anna@corp.example"),
    "roomLists": [str(one.email_address) for one in protocol.get_roomlists()],
    "rooms": [str(one.email_address) for one in protocol.get_rooms("rooms@corp.example")],
    "found": [shown(one) for one in found],
    "page": len(people(None, 100)),
    "whole": {**shown(whole), "title": whole.title, "phones": [one.value.number for one in whole.business_phone_numbers or []]},
}))

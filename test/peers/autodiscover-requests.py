# Prints the Autodiscover requests that exchangelib would send: SOAP with the settings given by our side, and POX.
import json, sys
from types import SimpleNamespace
from exchangelib.autodiscover.properties import Autodiscover
from exchangelib.version import EXCHANGE_2010, Version
from exchangelib.services.get_user_settings import GetUserSettings

url, mailbox = sys.argv[1:]
service = GetUserSettings(protocol=SimpleNamespace(service_endpoint=url, credentials=None, version=Version(build=EXCHANGE_2010), config=SimpleNamespace(version=Version(build=EXCHANGE_2010))))
soap = service.wrap(service.get_payload(users=[mailbox], settings=["external_ews_url", "internal_ews_url"]), api_version="Exchange2010")
print(json.dumps({"soap": soap.decode(), "pox": Autodiscover.payload(mailbox).decode()}))

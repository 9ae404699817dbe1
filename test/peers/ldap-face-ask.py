"""Asks the LDAP face through python3-ldap3: everything is printed as one JSON object. Arguments: port, user, password, file of the authority."""
import json
import ssl
import sys
from ldap3 import ALL, Connection, Server, Tls

port, user, password, authority = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
tls = Tls(ca_certs_file=authority, validate=ssl.CERT_REQUIRED, version=ssl.PROTOCOL_TLS_CLIENT)
server = Server('127.0.0.1', port=port, get_info=ALL, tls=tls)
connection = Connection(server, user, password)
connection.open()
started = connection.start_tls()
bound = connection.bind()
who = connection.extend.standard.who_am_i()
connection.search('', '(|(cn=mul*)(sn=mul*)(mail=mul*))', attributes=['cn', 'mail', 'modifyTimestamp', 'objectClass'])
found = [{'dn': one['dn'], 'attributes': {name: values if isinstance(values, list) else [str(values)] for name, values in one['attributes'].items()}} for one in connection.response if one['type'] == 'searchResEntry']
pages = [entry['attributes']['mail'] for entry in connection.extend.standard.paged_search('dc=bridge', '(mail=*)', attributes=['mail'], paged_size=3, generator=True)]
compared = connection.compare(found[0]['dn'], 'mail', 'anna@corp.example')
changed = connection.modify(found[0]['dn'], {'title': [('MODIFY_REPLACE', ['x'])]})
refused = connection.result['description']
wrong = Connection(Server('127.0.0.1', port=port), user, 'wrong')
wrong.bind()
pages.sort()  # ldap3 gives the entries of a page in an order of its own
print(json.dumps({
    'started': started, 'bound': bound, 'who': who, 'contexts': server.info.naming_contexts, 'controls': [one[0] for one in server.info.supported_controls],
    'found': found, 'pages': pages, 'compared': compared, 'changed': changed, 'refused': refused, 'wrong': wrong.result['description'],
}))
connection.unbind()

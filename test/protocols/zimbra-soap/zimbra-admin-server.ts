import type { IncomingMessage } from 'node:http';
import { envelope, fault, zimbraServer } from './zimbra-server.ts';
import type { ZimbraAnswer, ZimbraStandIn } from './zimbra-server.ts';

type Said = Exclude<ReturnType<ZimbraAnswer>, undefined>;

export interface AdminAccount {
  readonly id: string;
  name: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly isResource?: boolean;
}

interface WaitSet {
  seq: string;
  sent: Set<string>;
  current: Set<string>;
  wake?: ((answer: Said) => void) | undefined;
}

const escape = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&quot;');
export const accountId = (index: number): string => `a7e00000-0000-4000-8000-${String(index).padStart(12, '0')}`;

/** A Zimbra's admin port, written after zimbra.md §1 and §5, WaitSetBase.trySendData and SearchDirectory of zm-mailbox: one mailbox server. */
export class AdminServer {
  readonly accounts = new Map<string, AdminAccount>();
  readonly sets = new Map<string, WaitSet>();
  /** What the server remembers over a restart: which accounts changed after which sequence. */
  readonly redoLog: { seq: string; id: string }[] = [];
  /** Answers ahead of everything else, by the name of the request; undefined falls through, 'silent' never answers. */
  override: (operation: string, body: string) => Said | 'silent' | undefined = () => undefined;
  servers: readonly string[] = ['mbox1.zimbra.example'];
  config: Record<string, string> = {};
  propagate = '0';
  signIns = 0;
  validToken = '';
  readonly operations: string[] = [];
  /** Every token that came, in order. */
  readonly tokens: string[] = [];
  #standIn!: ZimbraStandIn;
  #commits = 0;
  #setNumber = 0;

  static async start(): Promise<AdminServer> {
    const server = new AdminServer();
    server.#standIn = await zimbraServer(() => undefined, (body, request) => server.#answer(body, request));
    return server;
  }

  get url(): URL {
    return this.#standIn.url;
  }

  get asked(): readonly string[] {
    return this.#standIn.asked;
  }

  bodiesOf(operation: string): readonly string[] {
    return this.asked.filter((body) => body.includes(`<${operation}`));
  }

  add(...accounts: readonly AdminAccount[]): void {
    for (const account of accounts) this.accounts.set(account.id, account);
  }

  /** An appointment in these mailboxes was touched. */
  change(...ids: readonly string[]): void {
    for (const id of ids) {
      const seq = `9-1790000000000-1790000000.${++this.#commits}`;
      this.redoLog.push({ seq, id });
      for (const set of this.sets.values()) set.current.add(id);
      this.#next = seq;
    }
    for (const [name, set] of this.sets) this.#trySend(name, set, set.seq);
  }

  /** All sets are gone from memory, the RedoLog stays. */
  restart(): void {
    for (const set of this.sets.values()) set.wake?.({ status: 503, body: '<html>starting</html>' });
    this.sets.clear();
  }

  close(): void {
    this.#standIn.close();
  }

  #next = '0';
  readonly #polls = new Map<string, string>();

  async #answer(body: string, request: IncomingMessage): Promise<Said | undefined> {
    const operation = /<soap:Body><(\w+)/.exec(body)?.[1] ?? '';
    this.operations.push(operation);
    const token = /<authToken>([^<]*)</.exec(body)?.[1];
    if (token !== undefined) this.tokens.push(token);
    const instead = this.override(operation, body);
    if (instead === 'silent') return undefined;
    if (instead !== undefined) return instead;
    if (request.url !== '/service/admin/soap/') return { status: 404, body: '' };
    if (operation === 'AuthRequest') {
      this.validToken = `admin${++this.signIns}`;
      return { body: envelope(`<AuthResponse xmlns="urn:zimbraAdmin"><authToken>${this.validToken}</authToken><lifetime>43199999</lifetime></AuthResponse>`) };
    }
    if (token !== this.validToken) return fault('service.AUTH_EXPIRED');
    switch (operation) {
      case 'AdminCreateWaitSetRequest':
        return this.#create(body);
      case 'AdminWaitSetRequest':
        return this.#poll(body);
      case 'AdminDestroyWaitSetRequest': {
        const name = /waitSet="([^"]*)"/.exec(body)?.[1] ?? '';
        return this.sets.delete(name) ? { body: envelope(`<AdminDestroyWaitSetResponse xmlns="urn:zimbraAdmin" waitSet="${name}"/>`) } : fault('mail.NO_SUCH_WAITSET');
      }
      case 'GetAllServersRequest':
        return {
          body: envelope(
            `<GetAllServersResponse xmlns="urn:zimbraAdmin">${this.servers.map((name) => `<server name="${escape(name)}" id="s"><a n="zimbraServiceHostname">${escape(name)}</a></server>`).join('')}</GetAllServersResponse>`,
          ),
        };
      case 'GetAccountRequest':
        return this.#getAccount(body);
      case 'SearchDirectoryRequest':
        return this.#search(body);
      case 'GetAllFreeBusyProvidersRequest':
        return {
          body: envelope(
            `<GetAllFreeBusyProvidersResponse xmlns="urn:zimbraAdmin"><provider name="EXCHANGE" propagate="${this.propagate}" start="1" end="2" queue="/opt/zimbra/fbqueue/queue-EXCHANGE" prefix="ad:"/></GetAllFreeBusyProvidersResponse>`,
          ),
        };
      case 'GetConfigRequest': {
        const name = /<a n="([^"]*)"/.exec(body)?.[1] ?? '';
        const value = this.config[name];
        return { body: envelope(`<GetConfigResponse xmlns="urn:zimbraAdmin">${value === undefined ? '' : `<a n="${name}">${escape(value)}</a>`}</GetConfigResponse>`) };
      }
      default:
        return fault('service.UNKNOWN_DOCUMENT');
    }
  }

  #create(body: string): Said {
    if (!body.includes('allAccounts="1"') || !body.includes('defTypes="a"')) return fault('service.INVALID_REQUEST');
    const name = `AllWaitSet-${++this.#setNumber}`;
    this.sets.set(name, { seq: '0', sent: new Set(), current: new Set() });
    return { body: envelope(`<AdminCreateWaitSetResponse xmlns="urn:zimbraAdmin" waitSet="${name}" defTypes="a" seq="0"/>`) };
  }

  async #poll(body: string): Promise<Said> {
    const name = /waitSet="([^"]*)"/.exec(body)?.[1] ?? '';
    const seq = / seq="([^"]*)"/.exec(body)?.[1] ?? '';
    const timeout = Number(/timeout="(\d+)"/.exec(body)?.[1]);
    let set = this.sets.get(name);
    if (set === undefined) {
      if (!name.startsWith('AllWaitSet-')) return fault('admin.NO_SUCH_WAITSET');
      if (!body.includes('defTypes="a"')) return fault('service.INVALID_REQUEST');
      // CommitId.decodeFromString does not take the sequence of a set that was never signalled.
      if (seq === '0') return fault('service.PARSE_ERROR', 'Sender', 'parse error: Invalid CommitId 0');
      const from = this.redoLog.findIndex((one) => one.seq === seq);
      if (from < 0) return fault('service.FAILURE', 'Receiver', `system failure: Unable to sync to commit id ${seq}`);
      set = { seq: '0', sent: new Set(), current: new Set(this.redoLog.slice(from + 1).map(({ id }) => id)) };
      this.#next = this.redoLog.at(-1)!.seq;
      this.sets.set(name, set);
    }
    set.wake?.({ body: envelope(`<AdminWaitSetResponse xmlns="urn:zimbraAdmin" waitSet="${name}" canceled="1"/>`) });
    this.#polls.set(name, seq);
    const owner = set;
    return new Promise((resolve) => {
      const timer = setTimeout(() => owner.wake?.({ body: envelope(`<AdminWaitSetResponse xmlns="urn:zimbraAdmin" waitSet="${name}" seq="${seq}"/>`) }), timeout * 1000);
      owner.wake = (answer) => {
        clearTimeout(timer);
        owner.wake = undefined;
        resolve(answer);
      };
      this.#trySend(name, owner, seq);
    });
  }

  /** WaitSetBase.trySendData: the last batch is kept until a request carries its sequence; an older one gets the union. */
  #trySend(name: string, set: WaitSet, fallback: string): void {
    if (set.wake === undefined) return;
    const isCurrent = (this.#polls.get(name) ?? fallback) === set.seq;
    if (isCurrent) set.sent.clear();
    if (set.current.size === 0 && (isCurrent || set.sent.size === 0)) return;
    for (const id of set.current) set.sent.add(id);
    set.current.clear();
    set.seq = this.#next;
    const accounts = [...set.sent].map((id) => `<a id="${id}" changeid="913"/>`).join('');
    set.wake({ body: envelope(`<AdminWaitSetResponse xmlns="urn:zimbraAdmin" waitSet="${name}" seq="${set.seq}">${accounts}</AdminWaitSetResponse>`) });
  }

  #getAccount(body: string): Said {
    const [, by, value] = /<account by="(\w+)">([^<]*)</.exec(body) ?? [];
    const found = by === 'id' ? this.accounts.get(value ?? '') : [...this.accounts.values()].find(({ name }) => name === value);
    return found === undefined ? fault('account.NO_SUCH_ACCOUNT') : { body: envelope(`<GetAccountResponse xmlns="urn:zimbraAdmin">${this.#xml(found, 'account')}</GetAccountResponse>`) };
  }

  #search(body: string): Said {
    const [, query = ''] = /<query>([^<]*)<\/query>/.exec(body) ?? [];
    const domain = / domain="([^"]*)"/.exec(body)?.[1];
    const limit = Number(/ limit="(\d+)"/.exec(body)?.[1]);
    const offset = Number(/ offset="(\d+)"/.exec(body)?.[1]);
    if (domain?.startsWith('no-such') === true) return fault('account.NO_SUCH_DOMAIN');
    const ids = [...query.matchAll(/\(zimbraId=([^)]*)\)/g)].map((match) => match[1]);
    const names = [...query.matchAll(/\(zimbraMailDeliveryAddress=([^)]*)\)/g)].map((match) => match[1]);
    const all = query === '' ? [...this.accounts.values()] : ids.length > 0 ? ids.flatMap((id) => this.accounts.get(id!) ?? []) : [...this.accounts.values()].filter(({ name }) => names.includes(name));
    const found = domain === undefined ? all : all.filter(({ name }) => name.endsWith(`@${domain}`));
    const page = found.slice(offset, offset + limit).map((one) => this.#xml(one, one.isResource === true ? 'calresource' : 'account'));
    return {
      body: envelope(`<SearchDirectoryResponse xmlns="urn:zimbraAdmin" more="${offset + limit < found.length ? 1 : 0}" searchTotal="${found.length}">${page.join('')}</SearchDirectoryResponse>`),
    };
  }

  #xml({ id, name, attributes }: AdminAccount, element: string): string {
    const list = Object.entries(attributes ?? {}).map(([key, value]) => `<a n="${key}">${escape(value)}</a>`);
    return `<${element} name="${escape(name)}" id="${id}">${list.join('')}</${element}>`;
  }
}

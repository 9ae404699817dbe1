const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * Every bound of the bridge, with its reason. A refusal names the bound; nothing is cut silently.
 */
export const LIMITS = {
  /** RFC 5321 §4.5.3.1.3: a path is at most 256 octets with its brackets. */
  addressCharacters: 254,

  // ── What a client may send ────────────────────────────────────────────────────────────────────────────────────
  /** Zimbra puts every user of a lookup into one URL: 500 addresses of 100 characters fit, 10,000 do not (431). */
  requestHeaderBytes: 64 * KIB,
  /** The largest honest request is a SOAP body with 500 mailboxes, about 150 KB. Counted after decompression. */
  requestBodyBytes: 4 * MIB,
  /** Outlook stops at 100, Zimbra has no limit; refused as a whole, because a shorter answer looks free. */
  mailboxesPerQuestion: 500,
  /** 60 days in one-minute slots is 86,400; beyond this an answer is megabytes of digits a mailbox. */
  slotsPerMailbox: 100_000,
  /** What all mailboxes of one answer may hold together: 500 mailboxes × 60 days × 15 minutes is 2.9 million. */
  slotsPerAnswer: 10_000_000,
  /** How often somebody looks how much of an unread body has come: a gigabit brings 2 MB meanwhile. */
  unreadBodyLooksMs: 20,
  /** Headers must arrive within this time (slow-loris). */
  headersTimeoutMs: 15_000,
  /** A whole request must arrive within this time. */
  requestTimeoutMs: 30_000,
  /** Longer than the 60 s idle time of common reverse proxies, so that they close first. */
  keepAliveTimeoutMs: 65_000,
  /** At the same time, over all faces; one directory of thousands needs tens. Beyond it: 503. */
  requestsInFlight: 1_000,

  // ── Sign-in ───────────────────────────────────────────────────────────────────────────────────────────────────
  /** A typing mistake or two cost nothing. */
  freeFailures: 3,
  /** Contract: at most 5 s an answer. */
  failureDelayMs: 4_500,
  /** Failures are forgotten after this long without another. */
  failureMemoryMs: 15 * 60_000,
  /** Pairs of client name and address remembered; the oldest goes. */
  failurePairs: 10_000,
  /** Answers of one pair held back at once; more are 429. */
  heldAnswersPerPair: 8,
  /** Zimbra logs on before every lookup; longer-lived cookies would only help a thief. */
  logonCookieMs: 15 * 60_000,
  /** Zimbra's own default is two days; a service renews, so an hour is enough. */
  zimbraTokenMs: 60 * 60_000,
  /** Basic credentials, cookies and tokens are short; longer ones are somebody trying something. */
  credentialCharacters: 4 * KIB,

  // ── XML ───────────────────────────────────────────────────────────────────────────────────────────────────────
  /** Exchange nests about 12 deep. */
  xmlDepth: 64,
  /** A 100-mailbox, 42-day EWS answer has about 60,000 nodes (measured: 1.2 MB). */
  xmlNodes: 2_000_000,
  /** A request of 500 mailboxes in EWS' form has 5,000; it is read before anybody has signed in. */
  requestXmlNodes: 100_000,
  xmlAttributesPerElement: 64,
  /** Parsed in slices of this size, so that the event loop is never held over 50 ms. */
  xmlSliceCharacters: 64 * KIB,

  // ── What a back end may send ──────────────────────────────────────────────────────────────────────────────────
  /** 100 mailboxes × 35 days of a busy calendar with details is about 8 MB. Counted after decompression. */
  responseBodyBytes: 32 * MIB,
  /** Contract: the same host at most five times within one lookup. */
  redirects: 5,
  /** Contract: a back end that refuses (401, 440, 503, redirects) gets at most ten requests within one lookup; one of them may be a sign-in that went well. */
  refusedRequestsPerLookup: 9,
  connectTimeoutMs: 3_000,
  /** Idle upstream connections are dropped before IIS (120 s) and nginx (75 s) drop them under us. */
  upstreamKeepAliveMs: 30_000,
  connectionsPerBackend: 32,
  /** Parts of one lookup sent to one back end at the same time. */
  partsInFlight: 4,

  // ── Lookups ───────────────────────────────────────────────────────────────────────────────────────────────────
  /** Exchange refuses more than 42 or 62 days by version; pieces of 35 are safe with all of them. */
  upstreamWindowDays: 35,
  /** Exchange refuses more than 100 mailboxes in one GetUserAvailability (ErrorMailboxDataArrayTooBig). */
  ewsMailboxesPerRequest: 100,
  /** IIS refuses a query string of 2,048 characters and more (404.15). */
  owaQueryCharacters: 1_900,
  /** Bridges and Zimbra servers a question may pass. Zimbra → bridge → bridge → Exchange is 2. */
  hops: 3,
  /** Widest window a face takes before slots are counted: ten years; nobody plans beyond, and a typing mistake does. */
  windowDays: 3_660,
  /** The longest slot a stock Zimbra can be configured to ask for (exchange_free_busy_interval_min). */
  owaIntervalMinutes: 1_444,
  /** Events or stretches worked through between two turns of the event loop: about 10 ms. */
  stretchesPerTurn: 2_000,
  /** Slots encoded between two turns of the event loop: about 10 ms. */
  slotsPerTurn: 100_000,
  /** Events one back end may give for one mailbox. A room booked every 15 minutes for 60 days has 5,760. */
  eventsPerMailbox: 50_000,

  // ── Freshness and load ────────────────────────────────────────────────────────────────────────────────────────
  /** How old an answer may be that a face gives with its age where a system does not answer: most meetings of the next days were entered earlier. */
  staleForToldMs: 60 * 60_000,
  /** Mailboxes whose answers are kept: everybody whom a site of this size asks about within an hour. */
  cachedMailboxes: 20_000,
  /** Answers of one mailbox: a day, a week, a month and a free/busy file are asked for side by side. */
  cachedAnswersPerMailbox: 4,
  /** Stretches and (threefold) events that are kept: about 100 bytes each. */
  cachedWeight: 400_000,
  /** Of one answer: a room booked every 15 minutes for 60 days has 5,760 stretches. */
  cachedWeightPerAnswer: 30_000,
  /** Time that must be left for asking again what failed in somebody else's question. */
  worthAskingMs: 100,
  /** Requests are refused when the event loop is late by so much each time it is looked at: an answer takes half a dozen turns of it, and the usual deadline is 5 s. */
  lateLoopMs: 800,
  /** How often that is looked at, and how many times in a row: one long turn (a directory taken in) is no overload. */
  lateLoopLooks: { everyMs: 100, inARow: 3 },
  /** How long a client that was refused because of load is told to stay away: one that comes back at once makes more of it. */
  shedRetryMs: 2_000,
  /** A system that fails is warned of once in this time for each reason: under overload it would be thousands of lines a second. */
  sameWarningMs: 5_000,
  /** Different ones that are remembered; a server that redirects elsewhere each time makes many. */
  sameWarnings: 1_000,
  /** How long an answer is given again without asking (issue: 15 s); a client that asks twice within a click asks the same. */
  freshMs: 15_000,
  /** The same for a mailbox whose changes are heard of: they drop it at once. */
  followedFreshMs: 60_000,
  /** Addresses by which change feeds have named mailboxes: all of a Zimbra with a hundred thousand accounts. */
  mailboxesNamedByFeeds: 100_000,
  /** `cacheFor`: beyond minutes nobody who books a room believes it. */
  longestFreshMs: 10 * 60_000,
  /** `staleFor`: yesterday's calendar is worth less than "unknown". */
  longestStaleMs: 24 * 60 * 60_000,
  /** `concurrency`: more at once only makes a back end slower. */
  mostRequestsPerBackEnd: 256,
  /** Requests that may wait for each that a back end takes at once: at 100 ms a request these are all that have an answer within the default deadline. */
  waitersPerTurn: 50,
  /** The same over all back ends: with its question each is some KB. */
  waitingForBackEnds: 5_000,
  /** How much of its time a request may spend waiting for its turn: a longer queue answers nobody more, and everybody later. */
  waitingShare: 0.5,
  /** Weight of the newest request in the mean of how long a back end takes: what was twenty requests ago is a third. */
  serviceTimeWeight: 0.05,
  /** Requests in a row that waited in vain after which a server is left alone; four parts of one question make four. */
  breakerFailures: 5,
  /** How long: a service that restarts is back in seconds, and half a minute is bearable for one that was repaired. */
  breakerPauses: { firstMs: 2_000, longestMs: 30_000 },
  /** A server that had less time than this has not failed to answer, and one that fails sooner keeps nobody waiting. */
  breakerFairMs: 500,
  /** Accounts at servers whose load is known: a hundred systems with a handful of servers and role accounts each. */
  backEndLoads: 1_000,
  /** Of these, one that nobody has asked for so long goes. */
  backEndLoadUnusedMs: 60 * 60_000,
  /** `concurrency` of a Zimbra: its mailboxd has 250 threads for HTTP, which are its users'. */
  zimbraConcurrency: 20,
  /** `concurrency` of an ifb system: small web servers have five to ten workers. */
  ifbConcurrency: 8,

  // ── Signing in to servers: NTLM and OAuth ─────────────────────────────────────────────────────────────────────
  /**
   * How long an account rests after its first, second, … refusal in a row. A server that stumbles once or twice is asked again at once (whoever waited for that answer shares it); seven tries take
   * 38 minutes, and Windows locks after ten in half an hour.
   */
  refusedPausesMs: [2, 2, 30_000, 2 * 60_000, 5 * 60_000, 15 * 60_000] as readonly number[],
  /** Of all WWW-Authenticate headers of an answer together; undici takes 16 KiB of headers. Exchange's five are 200 without a challenge, 600 with one. */
  challengeCharacters: 16 * KIB,
  /** Schemes and parameters read of them; Exchange has five. */
  challengeParts: 50,
  /** A CHALLENGE message is 150 to 400 bytes; its names are 255 characters at most. */
  ntlmServerMessageBytes: 6 * KIB,
  /** Body of a 401 that is read to its end so that its connection can be used again: IIS' page is 1 to 6 KB. */
  refusalBodyBytes: 64 * KIB,
  /** Sign-ins on new connections within one request: a server that drops every one of them is none to go on with. */
  signInsPerRequest: 3,
  /** A token endpoint that has not answered by then is not there; its answer serves every lookup that waits. */
  tokenTimeoutMs: 10_000,
  /** Entra's tokens are 1.5 to 4 KB, with many roles 10. */
  tokenCharacters: 16 * KIB,
  tokenAnswerBytes: 64 * KIB,
  /** A token is fetched anew so long before it ends: it has to last for the request that it is sent with. */
  tokenMarginMs: 60_000,
  /** How long a token counts whose issuer does not say (RFC 6749 §5.1: it ought to). */
  tokenLifeUnknownMs: 5 * 60_000,
  /** Entra gives 60 to 90 minutes, 28 hours at most. */
  tokenLongestLifeMs: 28 * 60 * 60_000,
  /** A refusal of the issuer answers all who ask within this time: a thousand lookups are one request. */
  tokenRefusedForMs: 10_000,
  /** An issuer that was away, or busy without saying how long. */
  tokenAwayForMs: 3_000,
  /** The most that an issuer's Retry-After is heeded. */
  tokenLongestHoldMs: 5 * 60_000,
  /** Life of a signed assertion: Entra and AD FS take 10 minutes at most, clocks may be a minute off. */
  assertionLifeMs: 5 * 60_000,

  // ── EWS: servers, accounts and what they refuse ───────────────────────────────────────────────────────────────
  /** A server that cannot be reached is put aside, longer each time; then one lookup tries it again. A restart of IIS takes seconds, a patched node minutes. */
  ewsServerPauses: { firstMs: 5_000, longestMs: 5 * 60_000 },
  /** Of a question's time for one of several servers: EWS itself cuts requests after about a minute. */
  ewsLongestShareMs: 60_000,
  /** Where a server says "busy" and not for how long: a single 503 is over in a second. */
  ewsBusyPauses: { firstMs: 1_000, longestMs: 60_000 },
  /** Pauses up to this that are only our guess make us prefer others; where there is nobody else the server is asked all the same. */
  ewsGuessedPauseMs: 4_000,
  /** An account that signed in so lately and is refused now may only be asked to slow down. */
  ewsLatelyMs: 5 * 60_000,
  /** Before the one further try of such an account. */
  ewsSlowDownMs: 500,
  /** Requests at the same time, an account: EWSMaxConcurrency of Exchange 2010, and of 2013 and later. */
  ewsConcurrency: { before2013: 10, from2013: 27 },
  /** Widest windows in days that are tried one after the other where a server takes no wider ones (web.config, maximumQueryIntervalDays). */
  ewsWindowLadder: [31, 20, 14, 7, 1] as readonly number[],
  /** Minutes of a digit where a server refuses ours; Exchange's own default. */
  ewsSafeIntervalMinutes: 30,
  /** Requests of one lookup that may be refused as too large before it gives up: 100 mailboxes halved to one are seven, five windows, the interval, and two to spare. */
  ewsTooLargePerLookup: 15,
  /** Found servers are looked for again after so long; an administrator who moves mailboxes expects hours. */
  ewsDiscoveredForMs: 60 * 60_000,
  /** One discovery serves every lookup that waits for it, so no single deadline ends it. */
  ewsDiscoveryMs: 20_000,
  /** Between two discoveries, because the first failed or because nothing of what it found answers. */
  ewsDiscoveryPauses: { firstMs: 1_000, longestMs: 60_000 },
  /** Servers taken from one discovery. */
  ewsDiscoveredServers: 8,
  /** Servers and accounts that something is remembered of; a reload may bring others, the oldest go. */
  ewsRemembered: 1_000,

  // ── Autodiscover as a client ──────────────────────────────────────────────────────────────────────────────────
  /** exchange.md §4.1: redirects of every kind together; Exchange's own clients stop there too. */
  autodiscoverRedirects: 10,
  /** One request: candidates that accept a connection and stay silent must not eat the time of those behind them. */
  autodiscoverRequestMs: 5_000,
  /** The whole walk over ten services: two silent ones, and what is behind them. */
  autodiscoverWalkMs: 30_000,
  /** With all settings that exist an answer has some ten KB. */
  autodiscoverAnswerBytes: MIB,
  autodiscoverAnswerNodes: 20_000,
  /** Of a server's own words (an ErrorCode, a setting) that are passed on. */
  autodiscoverWordsCharacters: 100,
  /** A name server that does not answer in this time has no record for us. */
  autodiscoverDnsMs: 3_000,
  /** Records that are tried, the best first; an honest domain has one or two. */
  autodiscoverServiceRecords: 4,
  /** What was found is given again for so long: everybody who lost the server asks at once. */
  autodiscoverFoundMs: 60_000,
  /** So long nothing is tried again after a walk that found nothing; after refused credentials it is refusedPausesMs. */
  autodiscoverFailedMs: 10_000,

  // ── WebDAV: servers, folders and logon ────────────────────────────────────────────────────────────────────────
  /** Requests at the same time to one server of an Exchange 2000 to 2007, where nothing is configured: its store has few threads for WebDAV, more only wait there. */
  webdavConcurrency: 8,
  /** How long a server of several that failed is asked last, doubling; then one request tries it. */
  webdavAsidePauses: { firstMs: 10_000, longestMs: 5 * 60_000 },
  /** What one server of several gets of the time that is left, at least (a handshake and an answer over a slow line) and at most. */
  webdavServerShareMs: { least: 500, most: 10_000 },
  /** Names of the EX: folders: how long they are believed, and how soon a 404 has them read again. */
  webdavFoldersKeptMs: 60 * 60_000,
  webdavFoldersFreshMs: 60_000,
  /** EX: folders of one server: one for every administrative group, some hundreds in the largest organisations. */
  webdavFolders: 5_000,
  /** In which EX: folders of which servers messages were written; the first is forgotten first. */
  webdavFolderHomes: 1_000,

  // ── Privacy and audit ─────────────────────────────────────────────────────────────────────────────────────────
  /** `audit.fileMegabytes` and `audit.files`: 100 GB together at most. */
  auditFileMegabytes: { min: 1, max: 1_024 },
  auditFiles: { min: 1, max: 100 },
  /** Mailboxes in one line of the audit log, 25 KB at most; a question about more gets several lines. */
  auditedMailboxes: 100,
  /** What waits for a disk that does not take it; an hour of one question a second is 1 MB. What comes beyond it is lost, and that is said. */
  auditWaitingBytes: 32 * MIB,
  /** After an audit log that could not be written, until the next try. */
  auditRetryMs: 1_000,
  /** Who has opted out: a site of a hundred thousand people in which everybody did. 20 MB on disk. */
  optOuts: 100_000,
  optOutFileBytes: 64 * MIB,
  /** Of all excluded groups together: as many people as the largest directory that is kept. */
  excludedMembers: 1_000_000,
  /** How soon a changed group is noticed where nobody asks: what it published is taken away then. Lookups notice at once. */
  exclusionLooksMs: 10_000,
  /** To find out who is hidden: as often as a directory changes where it takes less, a thousand names or so; else in a tenth of the time at most. */
  exclusionsMadeMs: 20,
  /** How many addresses one command or request opts out or in. */
  privacySwitches: 1_000,

  // ── Clients' tokens, certificates and password hashes ─────────────────────────────────────────────────────────
  /** A bearer token as it is sent; Entra's with 200 groups have about 8 KiB. */
  bearerTokenCharacters: 16 * KIB,
  /** Between an issuer's clock and ours. Kerberos allows 5 minutes; issuers keep better time. */
  tokenClockSkewMs: 60_000,
  /** A token that was found right is not looked at again before its end, but for so long at most. */
  verifiedTokenMs: 60 * 60_000,
  /** Right tokens remembered over all clients, the oldest goes; a client has one or two at a time. */
  verifiedTokens: 2_000,
  /** An issuer's metadata or keys; Entra's have 20 KiB. */
  issuerDocumentBytes: 256 * KIB,
  /** Of one issuer. Entra has about ten; one by one they are tried only for a token that does not say which. */
  issuerKeys: 64,
  /** Metadata and keys together: below a request's own deadline, so that its answer says why. */
  issuerTimeoutMs: 4_000,
  /** Keys are asked for again behind the requests' backs when they are older: a key that the issuer has withdrawn counts no longer than this. */
  issuerKeysFreshMs: 15 * 60_000,
  /** Between two questions to an issuer, whatever comes in: tokens with invented key ids cost it one question each time. */
  issuerPauseMs: 10_000,
  /** Keys are good for so long while the issuer does not answer: a night's outage locks nobody out, a withdrawn key does not live for ever. */
  issuerKeysKeptMs: 24 * 60 * 60_000,
  /** Issuers remembered over reloads, those of configurations that are gone included. */
  rememberedIssuers: 64,
  /** scrypt's N as a power of two, of a configured hash. Below is too cheap for a password, above too dear for a server. */
  scryptCost: { min: 14, max: 20 },
  scryptBlockSize: { min: 1, max: 32 },
  scryptParallelism: { min: 1, max: 16 },
  /** 128·N·r: what one verification holds while it runs. ln=17,r=8 takes 128 MiB. */
  scryptBytes: 256 * MIB,
  /** N·r·p: about 3 s of one core. ln=17,r=8,p=1 is an eighth. */
  scryptWork: 2 ** 23,
  scryptSaltBytes: { min: 8, max: 64 },
  scryptHashBytes: { min: 16, max: 64 },
  /** A new hash takes this much (OWASP's figure for scrypt). */
  scryptDefaultCost: 17,
  /** Verifications at once: Node has four threads for them, names and files; and each takes its memory. */
  scryptAtOnce: 2,
  /** Verifications that wait; more are 429. */
  scryptWaiting: 64,
  /** Of one address: whoever guesses leaves room for the others. */
  scryptWaitingPerAddress: 16,
  /** Right passwords remembered by their digests, one a hash; the oldest goes. */
  rememberedPasswords: 2_000,
  /** What `hash-password` reads; longer than Basic could send. */
  typedPasswordBytes: 4 * KIB,

  // ── Exchange's own oddities ───────────────────────────────────────────────────────────────────────────────────
  /** A legacyExchangeDN; the directory's attribute holds no more. */
  legacyExchangeDnCharacters: 1_024,
  /** One sign-in serves every lookup that waits for it, so no single deadline ends it; a server that takes longer is not there. */
  logonTimeoutMs: 10_000,
  /** A server that asks for a day is broken or hostile. */
  ewsLongestBackOffMs: 15 * 60_000,
  /** Cookies kept of a logon: Exchange sets two to five. */
  logonCookies: 20,
  /** `destination` of a logon form. */
  destinationCharacters: 1_024,
  /** How far into an answer a logon or error page is recognised. */
  answerHeadBytes: 16 * KIB,

  // ── Zimbra's and iCalendar's ──────────────────────────────────────────────────────────────────────────────────
  /** Zimbra has no limit of its own; 100 users of 35 days are about 1 MB of answer. */
  zimbraMailboxesPerRequest: 100,
  /** A refused password is not tried again for so long: Zimbra locks accounts after a few failures (zimbraPasswordLockout…). */
  zimbraRefusedForMs: 10_000,
  /** Slots of Zimbra's form (elements, not digits) encoded between two turns of the event loop: about 5 ms. */
  zimbraSlotsPerTurn: 2_000,
  /** One mailbox's 50,000 periods of 33 characters are 1.7 MB; twice that for folding and the lists of others. */
  icalendarCharacters: 4 * MIB,
  /** A VTIMEZONE inside a VCALENDAR is 3 deep. */
  icalendarDepth: 8,
  /** Read between two turns of the event loop: about 5 ms (measured with 33-character periods). */
  icalendarSliceCharacters: 64 * KIB,
  /** Name and parameters of an honest line; ical.js looks for the colon anew at every parameter, which is quadratic. */
  icalendarHeadCharacters: 4 * KIB,

  // ── What the faces refuse as the real servers do ──────────────────────────────────────────────────────────────
  /** Exchange refuses a longer window in one GetUserAvailability (ErrorTimeIntervalTooBig; 42 days in older builds). */
  ewsWindowDays: 62,
  /** Minutes of MergedFreeBusyIntervalInMinutes; 30 where none is given. */
  ewsIntervalMinutes: { min: 5, max: 1_440, default: 30 },
  /** A GetUserSettings or GetDomainSettings of Exchange names one user or domain, seldom a handful. */
  autodiscoverUsers: 100,
  autodiscoverSettings: 200,
  /** Contract of NTLM: a challenge is good for one answer within this time. */
  ntlmChallengeMs: 60_000,
  /** An AUTHENTICATE message is about 600 bytes; its Base64 must fit in a header. */
  ntlmMessageBytes: 3 * KIB,
  /** How far a preauth's timestamp may be from ours (zimbra.md §1.4). */
  preauthGraceMs: 5 * 60_000,
  /** Requests inside one BatchRequest; Zimbra has no limit, its web client sends two or three. */
  batchedRequests: 50,
  /** Zimbra refuses working hours over a longer window (zimbra.md §2.1: floor of days over 200). */
  zimbraFaceDays: 200,
  /** Instances of a recurrence that are checked for conflicts, over all its parts: a daily meeting for five years has 1,826. */
  recurrenceInstances: 2_000,
  /** Zimbra's own bound on ifb (calendar_freebusy_max_days). */
  ifbDays: 366,
  /** Attendees of one request to a scheduling outbox. */
  outboxAttendees: 100,
  /** [MS-NLMP] 3.1.1.1 MaxLifetime: how far a client's clock may be from ours. */
  ntlmClockSkewMs: 36 * 60 * 60_000,
  /** Retry-After of a 503 where the calendar system did not say when to come again: a restart takes about so long. */
  retryAfterMs: 30_000,
  /** DavMail's longest, a search in contacts with every attribute, has 6,000. */
  owaSearchCharacters: 64 * KIB,
  /** Folders that one SEARCH may name; DavMail names one. */
  owaSearchScopes: 100,
  /** DavMail asks for 25 at most. */
  owaProperties: 500,
  /** All names with their namespaces, DavMail's 25 have 1,500: each comes back for every folder, and 4 MB of them became 72 MB (measured). */
  owaPropertyCharacters: 64 * KIB,
  /** 500 users of 60 days with ten appointments a day, free time between them: 30 MB, which are sent at one go in 50 ms. */
  soapSlotsPerAnswer: 600_000,
  /** Answers about one instance of a series and one user in one SOAP request: 6 MB. */
  recurrenceComparisons: 100_000,
  /** Days and times of day looked at: ten years of a daily series are 3,660; 200,000 take 100 ms. */
  recurrenceSteps: 200_000,
  /** Four times what one series may have: some are excluded again, and a batch holds several series. */
  recurrenceInstancesPerRequest: 8_000,
  /** Stretches and comparisons between two turns of the event loop: about 5 ms. */
  recurrenceComparisonsPerTurn: 20_000,
  /** Different ones in one request; Intl takes 0.1 ms and 30 KB for each, and 1,900 spellings of one held the event loop for 200 ms. */
  recurrenceZones: 20,
  /** One string is read at one go: 5 ms. The longest honest one holds 500 addresses, 130 KB. */
  jsonStringCharacters: MIB,
  /** Changes of the clock in one VTIMEZONE; a zone's whole history has some dozens. */
  icalendarObservances: 200,
  /** VTIMEZONEs in one question, which has two times. */
  icalendarZones: 20,
  /** Escaped between two turns of the event loop: about 5 ms. */
  caldavCharactersPerTurn: 500_000,
  /** Of what stands again in the answer about every attendee: UIDs that were seen have up to 112. */
  outboxRepeatedCharacters: 1_000,
  /** Properties of one PROPFIND; Apple Calendar asks for about 40 of a home. */
  caldavProperties: 500,
  /** Of all their names and namespaces, which stand again in the answer about every resource; those 40 have 2,000. */
  caldavPropertyCharacters: 64 * KIB,
  /** Of all attendees together, 100 with ten a day for a year: 30 MB that take 2 s. */
  outboxStretches: 366_000,
  /** Objects that one calendar-multiget may name; Apple asks for 50 at a time. */
  caldavHrefs: 1_000,
  /** All hrefs of a calendar-multiget, which stand again in the answer; 1,000 of Apple's have 100,000. */
  caldavHrefCharacters: 500_000,
  /** Conditions of one principal search; Apple sends six. */
  caldavSearches: 100,
  /** Folders, items or ids in one request. Exchange has no such bound; clients ask for one to fifty. 100 folders with all properties take 20 ms to write. */
  ewsThingsPerRequest: 100,
  /** With details about 1 ms, and 100 KB. */
  ewsEventsPerPiece: 200,
  /** A definition has one group for each change of the law; Windows' longest (Morocco, Egypt) have some fifty. */
  ewsZoneEras: 200,
  /** Zimbra gives 15 a week; a hundred shifts are nobody's. */
  workingHoursSlots: 200,
  /** A server that has no working hours is not asked again for so long. */
  workingHoursUnknownForMs: 60 * 60_000,
  /** One that answers free/busy and stays silent about working hours would cost every lookup its whole deadline. */
  workingHoursSilentForMs: 60_000,
  /** Kept back from the deadline for the free/busy that is in hand: at most this, and at most a fifth of what is left. */
  workingHoursKeptBackMs: 250,
  /** What is written between two turns of the event loop: about 5 ms. */
  ewsCharactersPerPiece: 256 * KIB,

  // ── Replication ───────────────────────────────────────────────────────────────────────────────────────────────
  /** Contract: what POST /notify takes. 1,000 addresses of 254 characters are 260 KB. */
  notifyBodyBytes: MIB,
  notifyMailboxes: 1_000,
  /** Contract: how far a signature's time may be from ours. */
  notifyGraceMs: 5 * 60_000,
  /** A pushed free/busy message: 0.2 MB hold 50,000 stretches; Zimbra's own are 2 KB. */
  pushedMessageBytes: MIB,
  /** Gathers a burst (Outlook and Zimbra save a meeting in two or three steps); short enough for "within a second". */
  gatherChangesMs: 300,
  /** One mailbox's turn, reading and writing: longer than any honest server takes, so that a silent one frees its place. */
  replicationTurnMs: 30_000,
  /** Stretches in one published message, which is made at one go: a room booked every 15 minutes for 60 days has 5,760, and 10,000 hold the event loop for 25 ms (80 where the code is cold). */
  publishedStretches: 10_000,
  /** Between the tries of one mailbox: doubling from the first to the longest, ± a quarter so that thousands do not come at once. */
  retryPauses: { firstMs: 1_000, longestMs: 5 * 60_000 },
  /** A server that asks for a day is broken or hostile. */
  retryAfterLongestMs: 15 * 60_000,
  /** A failure that might pass and is not known to (a malformed answer, an error of ours) is tried this often, about 8 minutes long. */
  doubtfulTries: 8,
  /** A system that refuses us as a whole (credentials, certificate, redirect) is tried by one mailbox only, after pauses from the first to the longest: accounts get locked. */
  blockedPauses: { firstMs: 15_000, longestMs: 5 * 60_000 },
  /** Redis answers in under a millisecond; a change that cannot be stored by then is refused, and told again. */
  storeTimeoutMs: 3_000,
  /** Mailboxes waiting in the Redis inside the process, which keeps everything in memory and writes it out whole (stack.md). */
  embeddedWaiting: 20_000,
  /** Who may not run just now (its route is blocked, its last turn is not over) looks again after this. */
  parkedMs: 1_000,
  /** A process that does not say for so long that it still works on a mailbox has lost it to whoever looks next: after a kill -9 its mailboxes are tried again within 20 s. */
  turnLockMs: 10_000,
  /** How often somebody looks. */
  stalledTurnsMs: 5_000,
  /** What is left of a turn after its signal has fired. */
  turnSettlesMs: 2_000,
  /** How long a queue that ends waits for Redis: what Redis has not been told by then, the look for lost turns finds out. */
  queueFarewellMs: 500,
  /** Another process may have recorded a failure since we saw none: asking Redis after every turn cost a fifth of the rate (measured). */
  noFailuresForMs: 1_000,
  /** Failures read at once: 150 KB, parsed in 2 ms. */
  failuresPerPage: 500,
  /** BullMQ's journal of events, which nobody reads; 10,000 without this. */
  queueEventsKept: 100,
  /** A worker without work looks by itself after so many seconds: what was to wake it may have gone to a process that hangs. */
  queueLooksSeconds: 1,
  /** Between two lines about BullMQ's trouble with Redis: what it means for a mailbox shows elsewhere. */
  queueTroubleToldMs: 60_000,
  /** A clock that goes back by more was set back, and what it had put off is looked at again. */
  clockSetBackMs: 1_000,
  /** Mailboxes stored with one write: 50 KB. */
  storedAtOnce: 250,
  /** Jobs looked at, tried or dropped with one write. */
  jobsAtOnce: 200,
  /** Records of what was published, read at once. */
  recordsPerPage: 500,
  /** Mailboxes that a command pushes at the same time. */
  pushedAtOnce: 8,
  /** Lines of `queue` for one state of one route. */
  queueEntriesShown: 1_000,
  /** Every mailbox is read again so often, for what no feed tells: rights, working hours. */
  sweepMs: 60 * 60_000,
  /** A message that is as it should be is written again after this, whatever the record says: somebody may have deleted or changed it, or a write thought dead came late. */
  trustedForMs: 6 * 60 * 60_000,
  /** A pass that waits for the queue looks again after this: about the time in which the queue works off a handful. */
  sweepLooksMs: 100,
  /** The daily pass, after midnight UTC moved the window, begins within this time. */
  dailySpreadMs: 5 * 60_000,
  /** A pass over all mailboxes waits while more than this wait, so that a change never stands behind it. */
  sweepAhead: 64,
  /** A publication window; Exchange's own is 36 months at most ([MS-OXOPFFB] 2.2.1.2.11). */
  publishPastMs: { min: 0, max: 366 * 86_400_000 },
  publishAheadMs: { min: 86_400_000, max: 3 * 366 * 86_400_000 },
  replicationConcurrency: 64,
  /** One request for a whole publication window; Zimbra refuses more than about 200 days. */
  zimbraWindowDays: 190,

  /** One who can guess the secret of /notify can make us read calendars: 16 characters are 80 bits of base 32. Below, a warning. */
  notifySecretCharacters: 16,
  /** `t=…,v1=…` with a few signatures. */
  signatureCharacters: 1_024,

  // ── Redis ─────────────────────────────────────────────────────────────────────────────────────────────────────
  /** Between two tries to connect: from the first to the longest, ± a quarter. */
  redisReconnectPauses: { firstMs: 50, longestMs: 3_000 },
  /** BullMQ leaves a blocking command open for 10 s at most; a connection that is silent for longer is dead. */
  blockingSilenceMs: 30_000,
  /** A start waits so long for a configured Redis before it goes on without. */
  redisFirstAnswerMs: 1_000,
  /** Between two starts of a Redis of ours that died: doubling from the first to the longest. */
  ownRedisRestartPauses: { firstMs: 100, longestMs: 30_000 },
  /** One that ran so long had no trouble starting. */
  ownRedisRanWellMs: 60_000,
  /** Reading a snapshot of 100,000 keys takes under a second. */
  embeddedStartMs: 30_000,
  /** The last snapshot of a Redis inside the process: 100 ms; what it would spare is work done twice. */
  embeddedLastSaveMs: 1_000,
  /** A thread that is not over by then is cut off. */
  embeddedStopMs: 400,
  /** A child that reads a large log of commands answers late; one that says nothing at all by then never will. */
  privateRedisStartMs: 60_000,
  /** What a SHUTDOWN may take: everything acknowledged is on disk, so a kill costs nothing. */
  privateRedisStopMs: 1_000,
  /** What the kernel may take to end a killed one. */
  privateRedisKillMs: 400,
  /** A connection that we ended and the other side did not (it hangs) is cut after this. */
  redisFarewellMs: 200,

  // ── The end ───────────────────────────────────────────────────────────────────────────────────────────────────
  /** Everything is closed: what holds the process after this is a handle that somebody forgot. */
  lastHandlesMs: 500,

  // ── Commands ──────────────────────────────────────────────────────────────────────────────────────────────────
  /** A thousand addresses of 254 characters are 260 KB. */
  controlBodyBytes: MIB,
  /** Lists of everybody that commands read from the running bridge at the same time; a command has one. */
  openListings: 8,
  /** A command asks for the next part at once; one that does not has died. */
  listingKeptMs: 60_000,
  /** Free/busy messages in one file for `decode`; a capture of a busy day has a few hundred. */
  decodedDocuments: 10_000,

  // ── Zimbra's changes ──────────────────────────────────────────────────────────────────────────────────────────
  /** How long a WaitSetRequest is left open: below the 60 s after which proxies cut. */
  waitSetBlockMs: 50_000,
  /** Answers that come faster than this, with nothing new, or in a flood, are asked for no faster. */
  waitSetPaceMs: 250,
  /** After a failed poll: doubling from the first to the longest, ± a quarter: once the server is well again, no change waits for more than 10 s. */
  feedPauses: { firstMs: 1_000, longestMs: 8_000 },
  /** While every new WaitSet is lost at once: each try costs a pass over everybody. */
  waitSetLostPauses: { firstMs: 1_000, longestMs: 60_000 },
  /** So often in a row before a fault, another poller or an account that cannot be looked up costs a full resynchronisation. */
  waitSetTimesBeforeNew: 3,
  /** Changed accounts one answer may name; a restarted Zimbra signals every account it has. */
  waitSetAccounts: 200_000,
  /** Id to address, kept in memory: 300 bytes each. */
  zimbraAccountsKept: 50_000,
  /** An account may be renamed or get another foreign principal. */
  zimbraAccountKeptMs: 5 * 60_000,
  /** Accounts in one page of SearchDirectory. */
  zimbraAccountsPerPage: 500,
  /** Mail servers of one Zimbra that are watched. */
  zimbraMailStores: 100,
  /** Between two looks for mail stores that came or went. */
  zimbraMailStoresAgainMs: 60 * 60_000,
  /** An answer may be on its way for so long after the server's own time is over. */
  waitSetPatienceMs: 15_000,
  /** Accounts worked through between two turns of the event loop: about 5 ms. */
  waitSetAccountsPerTurn: 5_000,
  /** While our own store is away: nobody is spared by staying away from it, and changes wait for it. */
  feedStorePauses: { firstMs: 250, longestMs: 5_000 },
  /** Up to so many unknown ids are asked for one by one. */
  zimbraIdsAskedSingly: 8,
  /** Up to so many by filters; beyond, a pass over the directory costs the server less. */
  zimbraIdsAskedByFilter: 2_000,
  /** Ids in one filter: a request of 5 KB. */
  zimbraIdsPerFilter: 100,
  /** No Zimbra is larger; a server that pages for ever is broken or hostile. */
  zimbraAccounts: 2_000_000,
  /** Pages in a row without anybody new, as after many were deleted at once. */
  zimbraIdlePages: 10,
  /** A page of a large directory takes its time. */
  zimbraAdminCallMs: 60_000,

  // ── The address book ──────────────────────────────────────────────────────────────────────────────────────────
  /** Entries of all sources together: ten times what the figures were measured with; 1.5 KB each. */
  galEntries: 1_000_000,
  /** Of a display name; Exchange and Zimbra cut at 256, and a word of 10,000 characters is nobody's name. */
  entryNameCharacters: 256,
  /** Of every other detail of an entry (title, office, telephone). */
  entryDetailCharacters: 256,
  /** Of the id an entry has in its source; a DN is the longest. */
  entryIdCharacters: 1_024,
  /** Addresses of one entry; Exchange allows 1,000 or so, people have a handful. */
  entryAliases: 200,
  /** Members that are kept of one group: more are never expanded anyway. */
  groupMembers: 10_000,

  // ── The address book: words ───────────────────────────────────────────────────────────────────────────────────
  /** What an administrator may ask for: longer ones find nobody. */
  searchMinimumLength: 10,
  /** Entries in one answer for a client that may search and not take everything: Zimbra and Exchange give 100; its web client asks for 200. */
  searchResults: { default: 200, max: 1_000 },
  /** A stock Zimbra is one client for all its people: 200 a second is what thousands of them type. Whoever asks for more is no person. */
  searchesPerMinute: { default: 12_000, max: 600_000 },
  /** Of what somebody types; the rest of a longer text is not looked at. */
  searchCharacters: 256,
  /** Of a word that begins within another: a Chinese name of 256 characters has 256 of them, and they are kept in 16,000 characters instead of 33,000. Nobody types more of one. */
  innerWordCharacters: 64,
  /** Searches whose slots are kept until the next change: the first letters, then two or three of them, of everybody who is typing; a megabyte at most, of usual ones 100 KB. */
  keptSearches: 500,
  /** What is longer finds few, and costs nothing to find. */
  keptSearchCharacters: 16,
  /** A larger answer costs more to write than to find. */
  keptSearchRows: 200,

  // ── The address book: LDAP face ───────────────────────────────────────────────────────────────────────────────
  /** One request. The longest filter seen (Outlook's) has 2 KB. */
  ldapMessageBytes: 256 * KIB,
  /** Before a bind a request is one itself: a name and a password. */
  ldapMessageBytesBeforeBind: 16 * KIB,
  /** Outlook nests its alternatives one in another, about ten deep. */
  ldapFilterDepth: 64,
  /** Items and substrings of one filter; each is held against every entry of a search that no word narrows. */
  ldapFilterItems: 1_000,
  /** A client sends one or two. */
  ldapControls: 16,
  /** Open at the same time. A Zimbra mail server keeps up to 50. */
  ldapConnections: 1_000,
  /** Several mail servers may come through one address. */
  ldapConnectionsPerAddress: 250,
  /** Of one connection at the same time; what comes more waits unread. */
  ldapOperationsPerConnection: 16,
  /** Nobody needs longer to begin to sign in. */
  ldapIdleBeforeBindMs: 30_000,
  /** Active Directory's own (MaxConnIdleTime). */
  ldapIdleMs: 15 * 60_000,
  /** A request that has begun must be whole by then (slow-loris). */
  ldapMessageMs: 30_000,
  /** For TLS to be agreed on. */
  ldapHandshakeMs: 10_000,
  /** A client that takes nothing of its answer for so long is gone. */
  ldapStalledMs: 60_000,
  /** What finding entries may take; Active Directory's own (MaxQueryDuration) is 120 s. */
  ldapSearchMs: 30_000,
  /** Filter items held against entries between two turns of the event loop: about 10 ms. */
  ldapItemsPerTurn: 5_000,
  /** Of an answer written between two turns of the event loop: about 10 ms. */
  ldapOctetsPerTurn: 256 * KIB,
  /** Entries that the words of a filter are asked for at once; where a client takes fewer, so many. */
  ldapCandidates: 1_000,
  /** Questions by words before everybody is looked through. */
  ldapCandidateQuestions: 6,
  /** In one page, whatever a client asks for. */
  ldapFacePageEntries: 2_000,
  /** Searches of one connection that may be gone on with; the oldest is forgotten. 100,000 entries are 6 MB. */
  ldapPagedSearches: 4,
  /** What a client has not gone on with by then it never will. */
  ldapPagedSearchMs: 10 * 60_000,
  /** Where entries are kept as they were, not their ids: whoever was hidden or deleted is gone within a minute. */
  ldapPagedEntriesMs: 60_000,

  // ── The address book: LDAP sources ────────────────────────────────────────────────────────────────────────────
  /** Entries in one page: ldapts makes objects of a whole page at once, 25 ms for these (measured; 1,000 held the event loop for 150 ms). Active Directory gives 1,000 at most (MaxPageSize). */
  ldapPageEntries: 250,
  /** Entries in one page of ids only: half as long (measured; 1,000 took 60 ms). */
  ldapIdPageEntries: 500,
  /** One page, or all of it from a server that does not page: 100,000 entries come from a slapd in 10 s (measured); one that is silent for longer is not there. */
  ldapAnswerMs: 60_000,
  /** STARTTLS and bind, which cost a server nothing: one that accepts and says nothing is found out by these. */
  ldapSignInMs: 10_000,
  /** One entry: a group of 100,000 members is 8 MB; a length beyond is refused before anything of it is kept. */
  ldapEntryBytes: 16 * MIB,
  /** One page, or all of it from a server that does not page: 100,000 entries of what is asked for are 100 MB, and several times that as objects. */
  ldapAnswerBytes: 128 * MIB,
  /** The same in entries; ldapts can hand over no more than about 120,000 at once. */
  ldapAnswerEntries: 100_000,
  /** Pages in a row without an entry; Active Directory gives some where few entries match. */
  ldapIdlePages: 1_000,
  /** An UnbindRequest that cannot be written by then. */
  ldapFarewellMs: 500,
  /** Entries decoded between two turns of the event loop: about 5 ms (measured). */
  ldapEntriesPerTurn: 100,
  /** Between two readings: with the pass over the ids a change is seen within 60 s (contract) even where both take ten seconds. */
  ldapPauseMs: 15_000,
  /** Everything is read again so often: what no timestamp tells, as rights, or changes that a replica brings late. */
  ldapWholeMs: 6 * 60 * 60_000,
  /** How far a reading of changes goes back behind the last one: replicas of one OpenLDAP are seconds apart. */
  ldapOverlapMs: 120_000,
  /** A pass over all ids begins at least so often (deletions, contract 60 s) ... */
  ldapIdPassMs: 40_000,
  /** ... and takes at most this part of the time otherwise. */
  ldapIdPassShare: 0.1,
  /** Domain controllers whose change numbers are remembered; a site has a handful. */
  ldapControllers: 8,
  /** Parts of one long attribute (`member;range=…`) that are fetched: Active Directory gives 1,500 values a part. */
  ldapRanges: 100,

  // ── The address book: Zimbra ──────────────────────────────────────────────────────────────────────────────────
  /** Contract of Zimbra: SearchGal gives 100 where nothing is said. */
  zimbraGalResults: 100,
  /** Contract of Zimbra: a search in the GAL synchronisation account's mailbox gives no more, whatever is asked for. */
  zimbraGalMostResults: 1_000,
  /** Contract of Zimbra: zimbraContactAutoCompleteMaxResults. */
  zimbraAutoCompleteResults: 20,
  /** Entries in one page of SyncGal, Zimbra's zimbraGalSyncSizeLimit. */
  zimbraGalSyncEntries: 30_000,
  /** What all answers of one request may say of people: 30,000 entries of 700 characters, and text as long again around it. A page of SyncGal ends earlier where it would be more. */
  zimbraGalCharacters: 24 * MIB,
  /** Readings of the whole list that one client has under way: zimbraGalSyncMaxConcurrentClients. */
  zimbraGalFullSyncs: 2,
  /** Entries looked at (sorted, filtered, measured) between two turns of the event loop: about 5 ms. */
  zimbraGalEntriesPerTurn: 2_000,
  /** Conditions in one searchFilter; the web client's form for rooms has six. */
  zimbraFilterConditions: 100,
  /** Of a group in an answer of SyncGal; a larger one is read with GetDistributionListMembers, in parts, and says so (tooManyMembers). */
  zimbraGalMembers: 500,
  /** Of a page token: two of the directory's (100 each), an id, and what stands between. */
  zimbraGalTokenCharacters: 256,
  /** Entries asked for in one page of SyncGal where the bridge reads: about 1 MB. */
  zimbraGalPageEntries: 1_000,
  /** From one reading to the next: where tokens tell what changed; where only searches are allowed; from the beginning (deletions in LDAP are told in no other way). */
  zimbraGalPause: { tokensMs: 20_000, searchesMs: 15 * 60_000, wholeMs: 6 * 60 * 60_000 },
  /** Readings from the beginning within one: a token may turn out to mean nothing once, not again and again. */
  zimbraGalBeginnings: 3,
  /** A recommended reading from the beginning is followed so often at most: some servers recommend it every time. */
  zimbraGalRecommendedMs: 60 * 60_000,
  /** Between two tries while the server has its two readers already, and how often. */
  zimbraGalThrottled: { pauseMs: 5_000, times: 6 },
  /** One page; the first of a large directory is a search over all of it. */
  zimbraGalCallMs: 60_000,
  /** Where the list can only be searched: searches in one reading (5,000 people at 100 an answer took up to 3,000), letters of the longest, and a pause between two (Zimbra's DoSFilter takes 30 requests a second). */
  zimbraGalSearches: { most: 4_000, depth: 8, pauseMs: 50 },

  // ── The address book: Exchange ────────────────────────────────────────────────────────────────────────────────
  /** Exchange resolves a name to at most so many (exchange.md §3.3). */
  resolvedNames: 100,
  /** Pages of a search that are looked through for those who fulfil another condition too (`smtp:` and the beginning of an address); each costs the client a search. */
  galPagesLookedThrough: 5,
  /** Personas in one answer of FindPeople; Exchange's own throttling gives no more (EWSFindCountLimit). */
  personasPerAnswer: 1_000,
  /** Behind those of an answer of FindPeople, how many are counted for TotalNumberOfPeopleInView: an exact number where somebody pages through a few, and no second ranking where thousands are found. */
  personasCountedBeyond: 100,
  /** Written between two turns of the event loop: 9 µs each with all that is known of them, and 20 on a busy machine. */
  personasPerTurn: 200,
  /** Entries only looked at (all of them, by another criterion than words) between two turns: about 5 ms. */
  galEntriesPerTurn: 5_000,
  /** Room lists in one answer: nobody chooses from more. */
  roomLists: 500,
  /** Criteria of one galfind; there are nine. */
  galfindCriteria: 20,
  /** Whose AN is not unique is found out again after this: it costs a look at everybody. */
  galfindAliasesKeptMs: 60_000,
  /** Requests of one reading of an address list by the beginnings of names: 100,000 people need some thousands. */
  galPrefixRequests: 20_000,
  /** Of a beginning that is asked for; a hundred people who share so much are not told apart by more of it. */
  galPrefixCharacters: 16,
  /** Letters with which a beginning is continued: those of addresses, and what was seen in names. */
  galPrefixLetters: 100,
  /** Items in one answer of galfind, ours and what we believe to be all of a server's. */
  galfindResults: 100,
  /** Of those whom the words of a galfind find, how many are looked at for the fields they were sought in: best first, and in most of them every one fits. */
  galfindLookedThrough: 500,
  /** Personas asked for in one page. */
  findPeoplePage: 500,
  /** One request of a reading. */
  galRequestMs: 30_000,
  /** So often a request that failed for a reason that passes is sent, after pauses from the first to the longest, no sooner than the server says. */
  galBusyTries: 5,
  galRetryPauses: { firstMs: 500, longestMs: 60_000 },
  /** Between two readings: each is a whole one. */
  exchangeGalPauseMs: 10 * 60_000,

  // ── The address book: files, JSON and commands ────────────────────────────────────────────────────────────────
  /** A file of entries: 100,000 vCards with pictures left out are 50 MB. */
  galFileBytes: 64 * MIB,
  /** Read and hashed at once, between two turns of the event loop: 1 ms. */
  galFileSliceBytes: MIB,
  /** Characters of a file worked off between two turns of the event loop: 2 to 5 ms. */
  galFileCharactersPerTurn: 16_000,
  /** Of one entry as it stands in a file, folds taken out: 10,000 members of a group with their DNs. A photograph beyond it is somebody's mistake; vCards skip theirs. */
  galFileEntryCharacters: MIB,
  /** Of one row of a CSV file: 10,000 addresses in one cell. */
  galFileRowCharacters: 512 * KIB,
  /** Of an unfolded line of a vCard; a longer one is left out and counted, because taking it apart would hold the event loop. */
  galFileLineCharacters: 64 * KIB,
  /** Lines of one vCard: a group with 10,000 members fits twice. */
  galFileCardLines: 20_000,
  /** Columns of a CSV file: Outlook exports 92. */
  galFileColumns: 500,
  /** Entries in one batch to the address book. */
  galFileBatch: 500,
  /** Mistakes that a check names one by one; they look alike. */
  galFileMistakes: 5,
  /** `limit` of GET /api/v1/directory: what a list on a screen can hold, in an answer of some hundred KB. */
  apiDirectoryResults: 500,
  /** Where no `limit` is given. */
  apiDirectoryDefault: 50,
  /** Remarks of `gal export` on what was left alone, one line each; behind them only how many there are. */
  exportRemarks: 1_000,

  // ── The address book: the sources' turns and the store ────────────────────────────────────────────────────────
  /** Contract: members of a group that are asked about when somebody asks about the group. */
  expandedMembers: 100,
  /** Groups within a group. */
  nestedGroups: 100,
  /** Records that may share an address or another key and still be held for one person; "info@" as everybody's alias says nothing. */
  galSharedKey: 20,
  /** Records that hang together by whatever keys and are still sorted into rows with each other; a chain of thousands is nobody, and sorting it again with every change would hold everything up. */
  galConnected: 200,
  /** Titles, streets and names that are kept once for all who have them. Beyond it the collection begins anew: what changes all the time must not fill the memory. */
  galSharedTexts: 500_000,
  /** Contradictions between directories that are remembered for an administrator. */
  galConflicts: 1_000,
  /** Entries merged at one go: 5 to 10 ms. */
  galBatch: 250,
  /** Lines of a source's log that say nothing any more, beside as many as it has entries, before it is written anew. */
  galIdleLines: 10_000,
  /** That a source was read once more without news is written down no oftener. */
  galStateWrittenMs: 10 * 60_000,
  /** How long those who keep a copy of the address book may be away and still hear of deletions one by one. */
  departuresKeptMs: 30 * 86_400_000,
  /** 60 bytes each. */
  departuresKept: 200_000,
  /** A reading that would take away more than these, and more than half of what a source had, is believed when the next one says the same: rights get lost, containers are moved. */
  galMassDeletion: 100,
  /** One reading of a source: the slowest, an enumeration by letters over a busy Exchange, takes minutes. */
  galReadingMs: 30 * 60_000,
  /** How long a command without a running bridge reads the directories. */
  galCommandMs: 5 * 60_000,
  /** After refused credentials: accounts get locked. */
  galRefusedPauseMs: 5 * 60_000,

  // ── Presence ──────────────────────────────────────────────────────────────────────────────────────────────────
  /** Users for a second of `calendarSpread: auto` (presence.md, A66). */
  usersPerSpreadSecond: 100,
  /** Changes of one calendar that are kept, from now on: two days with twelve meetings each; it is read again long before. */
  presenceSteps: 48,
  /** How far back a calendar is read, so that it is known since when a meeting lasts. */
  presencePastMs: 86_400_000,
  /** Everybody's calendar is read again within this time, whatever was notified. */
  presenceSafetyPollMs: 60 * 60_000,
  /** The same where nobody tells of changes. */
  presencePollMs: 5 * 60_000,
  /** What was read is believed for this long after the last reading that failed for want of the server; then the state is unknown. */
  presenceStaleMs: 10 * 60_000,
  /** After a notification, so that a burst is one reading. */
  presenceGatherMs: 100,
  /** Refused credentials are not tried again before: accounts get locked. */
  presenceRefusedPauseMs: 5 * 60_000,
  /** One publication: a SIP transaction over UDP gives up after 32 s. */
  presencePublishMs: 35_000,
  /** How far a publisher that came late may exceed its pace. */
  presenceCatchUpMs: 100,
  /** Failures of a gateway in a row after which its people go to another one, where there is one, and for how long. */
  presenceFailuresBeforeDown: 3,
  presenceDownMs: 5 * 60_000,
  /** While a server fails as a whole, between two looks for people whose calendars were not tried yet. */
  presenceTryAllMs: 60_000,
  /** Mailboxes of one question to the lookup for presence, and of one to a WebDAV gateway, which asks for each by itself. */
  presenceLookupMailboxes: 50,
  presenceWebdavMailboxes: 10,
  /** After somebody came or went, until all are sorted into gateways again: thousands who are switched on one after the other are sorted once. */
  presenceSortMs: 50,
  /** What publishers show, kept once for all who show it: states, languages, ends of meetings. */
  presenceSharedTexts: 1_000,
  /** Lags of the latest changes that status speaks of. */
  presenceLags: 4_096,
  /** For a publisher that is gone from the configuration to take away what it has shown. */
  presenceRetireMs: 60_000,
  /** An answer from memory is not older than this; whoever watches by asking wants no hour-old calendar. */
  presenceFreshMs: 60_000,
  /** States shown in one go before others get their turn: 5 ms. */
  presenceShownPerTurn: 250,
  /** Changes kept for watchers who come back with Last-Event-ID: some minutes of 15,000 users. */
  presenceEventsKept: 20_000,
  /** Watchers of the event stream, in all. */
  presenceStreams: 200,

  // ── Presence: EWS subscriptions ───────────────────────────────────────────────────────────────────────────────
  /** Subscription ids and watermarks are opaque; Exchange's have a few hundred characters. */
  ewsOpaqueCharacters: 4 * KIB,
  /** Exchange takes a watermark of the last 30 days (presence.md §B.1); an older one is not even offered. */
  ewsWatermarkAgeMs: 29 * 86_400_000,
  /** Ids of one GetStreamingEvents (presence.md §B.2). */
  ewsStreamSubscriptions: 200,
  /** Minutes; the schema's upper bound (StreamingSubscriptionConnectionTimeoutType). */
  ewsStreamMinutes: 30,
  /** One envelope in a stream: 200 calendars, each with dozens of events. A server without end (grommunio/gromox 268) is cut off here. */
  ewsStreamEnvelopeBytes: 2 * MIB,
  /** All that one connection may bring in its 30 minutes. */
  ewsStreamBytes: 64 * MIB,
  /** Exchange says OK about once a minute on an idle stream; silence for so long is a dead connection. */
  ewsStreamSilenceMs: 3 * 60_000,
  /** Until a stream begins: Exchange says OK at once, and a server that says nothing at first may never have got the question. */
  ewsStreamAnswerMs: 60_000,
  /** New subscriptions are gathered for so long before the stream is opened again with them. */
  ewsStreamSettleMs: 1_000,
  /** After a stream that broke, and after a server that cannot be reached: soon well again, no change waits longer than this beside the safety poll. */
  ewsWatchPauses: { firstMs: 1_000, longestMs: 60_000 },
  /** Minutes after which Exchange forgets a pull subscription that nobody asks. */
  ewsPullMinutes: 30,
  /** Between two GetEvents for one mailbox: every one is a request. */
  ewsPullEveryMs: 60_000,
  /** GetEvents in a row while MoreEvents is true: 50 events each. */
  ewsPullPages: 20,
  /** Between two looks at what is due. */
  ewsWatchTickMs: 1_000,
  /** Where Exchange refuses our credentials: a lookup locks no account by the hour, thousands of subscriptions would. */
  ewsRefusedPauseMs: 5 * 60_000,
  /** Where it grants no more subscriptions or connections: the rest is polled until then. */
  ewsHeldBackMs: 10 * 60_000,
  /** A mailbox that cannot be watched is tried again so often; somebody may have moved it, or given the right. */
  ewsMailboxTroubleMs: 15 * 60_000,
  /** A way of hearing of changes that was refused as a whole is tried again so often: servers are upgraded. */
  ewsBetterWayMs: 60 * 60_000,
  /** Exchange calls at once, and again after 30, 60, 120 and 240 s (presence.md §B.1): nobody who was not called by then can be called. */
  ewsPushProofMs: 10 * 60_000,
  /** Renewals in a second where a port or a frequency has changed: 7,500 subscriptions move in six minutes. */
  ewsRenewalsPerSecond: 20,
  /** Takes leave of Exchange for so long when the bridge ends. */
  ewsLeaveMs: 2_000,
  /** How long the check waits to be called. */
  ewsProbeCallMs: 5_000,
  /** Notifications in one call, and events in one of them: Exchange sends 50. */
  ewsNotificationEvents: 1_000,
  /** Calls for a subscription whose id is not known yet: the answer to Subscribe is a moment away. */
  ewsEarlyCalls: 4,
  /** Calls a second that one address may make: one server of Exchange tells of thousands of calendars, and after a restart of all of them at once. */
  callBacksPerSecond: 1_000,
  /** Connections to the call-back port at the same time. */
  callBackConnections: 512,
  /** A call is a few hundred bytes: whoever takes longer sends it on purpose. */
  callBackRequestMs: 10_000,
  /** .NET, which Exchange calls with, gives up an idle connection after 100 s: it should be the one that closes, for a call into a closing connection comes again after 30 s only. */
  callBackIdleMs: 120_000,
  /** Addresses whose rate is remembered. */
  callBackAddresses: 10_000,

  // ── Presence: WebDAV subscriptions and call-backs ─────────────────────────────────────────────────────────────
  /** One notification (presence.md §B.1): ids and watermarks only. */
  presenceNotificationBytes: 64 * KIB,
  /** One datagram of HTTPU (presence.md §B.4); an honest one has a hundred bytes. */
  httpuDatagramBytes: 8 * KIB,
  /** Datagrams to known paths that one address gets through in a second: 15,000 calendars that all change within a minute are 250. */
  httpuDatagramsPerSecond: 300,
  /** Addresses that are counted at the same time; an Exchange has a handful, and the others know no path. */
  httpuSources: 100,
  /** A datagram to ourselves, for `presence check`: so often, and so long each time. */
  httpuReach: { tries: 3, waitMs: 500 },
  /** Requested lifetime of a subscription, what shorter and longer ones count as (a client of 2002 was seen to do so with 60 s), and when it is renewed. */
  webdavSubscription: { lifetimeMs: 3_600_000, leastMs: 60_000, longestMs: 86_400_000, renewedAt: 0.9 },
  /** Seconds over which Exchange gathers changes before it notifies; one of its clients' authors doubts that it does. */
  webdavNotificationDelaySeconds: 5,
  /** A subscription's id is a number; a kept or a hostile one may be anything. */
  webdavSubscriptionIdCharacters: 64,
  /** Ids in one header: IIS 6 takes 16 KiB of headers. */
  webdavIdsPerRequest: 100,
  /** Notifications of one calendar within this time are one POLL. */
  webdavPollGatheringMs: 1_000,
  /** POLL where datagrams tell of changes: a lost one costs no more than this, and 15,000 calendars 17 requests a second. */
  webdavSafetyPollMs: 15 * 60_000,
  /** POLL where nobody tells: as a client of 2002 did. */
  webdavPollMs: 60_000,
  /** Requests of subscriptions at the same time and begun in a second: reading calendars comes first. */
  webdavWatchPace: { concurrency: 4, perSecond: 50 },
  /** One of them. */
  webdavRequestMs: 20_000,
  /** Between two tries of what failed, for one mailbox and for the server as a whole. */
  webdavWatchPauses: { firstMs: 2_000, longestMs: 10 * 60_000 },
  /** After refused credentials: accounts get locked. */
  webdavAuthPauseMs: 5 * 60_000,
  /** A mailbox that cannot be subscribed to (no right, no such command) is tried again so often: rights are cached for hours. */
  webdavRefusedPauseMs: 60 * 60_000,
  /** All subscriptions are renewed for a notification that names none, at most so often: whoever knows a path could send one. */
  webdavUnsolicitedMs: 60_000,
  /** Contract: leave is taken within this time. */
  webdavFarewellMs: 2_000,
  /** URL of a calendar folder as a server gives it. */
  webdavFolderUrlCharacters: 2_048,
  /** How far beyond the window is searched: whose midnight the literals of a query mean, no document says for every version; zones reach from -12 to +14 hours. */
  webdavSearchMarginMs: 15 * 3_600_000,

  // ── Presence: SIP ─────────────────────────────────────────────────────────────────────────────────────────────
  /** One message: Kamailio sends all documents of a presentity as one, some KB each. */
  sipMessageBytes: 256 * KIB,
  /** Of that, start line and headers: Record-Routes and Vias of a long way fit. */
  sipHeadBytes: 32 * KIB,
  sipHeaders: 200,
  /** RFC 3261 §17.1.1.1, T1: an estimate of the round trip; retransmissions begin with it, and 64 of it are the patience. */
  sipT1Ms: 500,
  /** RFC 3261 §17.1.2.2, T2: retransmissions come no rarer. */
  sipT2Ms: 4_000,
  /** A NOTIFY comes within a second of the SUBSCRIBE (presence.md §D.3); a busy server gets more. */
  sipNotifyMs: 10_000,
  /** Requests in a row without any answer: a connection is given up that the other side may have forgotten (a firewall, a crash). */
  sipUnanswered: 3,
  /** Addresses of a server's name that are tried. */
  sipAddresses: 8,
  /** How long a 423 may make a publication live: a day's stale state is the worst that a crash may leave. */
  sipLongestExpiresMs: 86_400_000,
  /** Answers from a server that says 423 or 412 again and again. */
  sipPublishTries: 4,
  /** An entity tag (RFC 3903 §11.3.1) is opaque; Kamailio's has 30 characters. */
  sipEntityTagCharacters: 256,
  /** Publications renewed at the same time: they wait for nobody, so few are enough. */
  sipRenewalsInFlight: 16,
  /** Between two tries to renew; jitter and doubling on top. */
  sipRenewalPause: { firstMs: 5_000, longestMs: 5 * 60_000 },
  /** A server that lost one publication may have lost all; said once in this time. */
  sipLostPauseMs: 60_000,
  /** Publications at the same time and a second: 15,000 meetings begin within a minute (presence.md §F.2), and a server answers thousands. */
  sipPublishPace: { concurrency: 32, perSecond: 400 },
  /** A document that we read back: some publishers' together. */
  pidfBytes: 256 * KIB,
  pidfNodes: 5_000,

  // ── Presence: XMPP ────────────────────────────────────────────────────────────────────────────────────────────
  /** One stanza from the server. Prosody takes 512 KB from a component and 256 KB from anybody else; what its users send us comes through it. */
  presenceXmppStanzaBytes: MIB,
  /** TCP, stream header and handshake, each. */
  presenceXmppOpenMs: 10_000,
  /** One answer. PEP with files takes 10 ms (measured); the server does one thing after another. */
  presenceXmppAnswerMs: 20_000,
  /** How long after the handshake its privileges may come; Prosody sends them in one go with it. */
  presenceXmppPrivilegesMs: 1_000,
  /** Questions under way: its caller keeps to `pace`, this holds whatever it does. */
  presenceXmppPending: 1_000,
  /** What may wait to be sent before more is refused, with answers to those who ask us. */
  presenceXmppSendBytes: MIB,
  /** Between tries to connect. A restart takes a second. */
  presenceXmppPauses: { firstMs: 500, longestMs: 60_000 },
  /** A connection that ended before counts as one that failed: servers that accept and close at once. */
  presenceXmppSteadyMs: 10_000,
  /** After a refused secret, an unknown component, a missing privilege: until somebody has changed the server's configuration. */
  presenceXmppRefusedMs: 5 * 60_000,
  /** A blank (RFC 6120 §4.6.1), so that nothing on the way forgets an idle connection and a dead one is noticed. */
  presenceXmppBlankMs: 60_000,
  /** Hosts whose privileges are remembered; whoever federates with the server could send some. */
  presenceXmppHosts: 1_000,
  /** Of a status text; a catalogue's are below 40. */
  presenceXmppTextCharacters: 256,
  /** Of a server's own words that are passed on. */
  presenceXmppWordsCharacters: 200,
  /** Prosody does one PEP item after another, 106–155 a second with files (measured); more in flight do not help, its own cache of questions ends at 256. */
  presenceXmppPace: { concurrency: 8, perSecond: 100 },

  // ── Presence: ejabberd and webhooks ───────────────────────────────────────────────────────────────────────────
  /** Calls to ejabberd's API are answered in 2 to 40 ms; one that takes this long will not be. */
  ejabberdCallMs: 10_000,
  /** People at a time: more make 23.01 no faster (presence.md §D.2: 448 calls/s at 20 in flight, and a change is two to four calls). */
  ejabberdConcurrency: 8,
  /** Changes a second: the pace that `calendarSpread: auto` plans for. */
  ejabberdPerSecond: 100,
  /** Live sessions of one person: ejabberd's own default (max_user_sessions) is 10. */
  ejabberdSessions: 32,
  /** A resource has at most 1,023 octets (RFC 7622 §3.4), a status text some words. */
  ejabberdStatusCharacters: 4 * KIB,
  /** How far the beginnings of one session may lie apart by two answers: its age comes in whole seconds, and answers take time. */
  ejabberdSessionAgeMs: 3_000,
  /** What is remembered of one person: 32 sessions, each with two texts. */
  ejabberdRecordCharacters: 32 * 9 * KIB,
  /** Between two passes for new sessions of people who are in a meeting. */
  ejabberdRefreshMs: 60_000,
  /** Pause between two people of such a pass: 20 a second, a fifth of the pace, so that changes go first. */
  ejabberdRefreshPauseMs: 50,
  /** A receiver that takes longer has stored nothing yet; chat products answer within a second. */
  webhookCallMs: 10_000,
  /** Calls at a time to one receiver, and a second: Slack's incoming webhooks take about one a second with bursts, Mattermost's default is 10 requests a second. */
  webhookConcurrency: 4,
  webhookPerSecond: 10,
  /** Events whose tries are remembered, so that each keeps its id; a forgotten one gets a new id. */
  webhookEvents: 20_000,

  // ── Presence: gateways' configuration and certificates ────────────────────────────────────────────────────────
  /** The schema's own bounds ([MS-OXWSNTIF] StatusFrequency), minutes; the default is the original's. */
  ewsStatusFrequency: { min: 1, max: 1_440, default: 60 },
  /** The original's, for UDP and TCP alike (presence.md, A60). */
  notificationPort: { min: 1, max: 65_535, default: 50_020 },
  /** Seconds. Over a minute a start would be shown after its end (presence.md, A67). */
  calendarSpread: { min: 0, max: 59, default: 50 },
  /** A healthy Exchange answers within 2 s, one that is busy within 20; what waits for minutes holds a thread for nothing. */
  exchangeTimeoutMs: { min: 1_000, max: 120_000, default: 20_000 },
  /** Mailboxes that wait cost 200 bytes each; beyond it they wait behind the queue, and none is lost. */
  exchangeQueue: { min: 10, max: 100_000, default: 1_000 },
  /** No more than the connections of one back end. */
  exchangeThreads: { min: 1, max: 32, default: 8 },
  /** Stands at the beginning of every line about a gateway. */
  gatewayDescriptionCharacters: 100,
  /** BCP 47 §4.4.1: the longest tag without extensions and private use has 35. */
  languageTagCharacters: 35,
  /** Shorter renewals are load without use, longer ones leave the dead standing; RFC 3903 leaves the choice to the server (423). */
  sipExpiresMs: { min: 60_000, max: 86_400_000 },
  /** Addresses of one gateway whose certificates are looked at; Exchange Online gives eight, a farm behind DNS a dozen. */
  certificateAddresses: 32,
  /** Name, connection and handshake of one address; beyond it nobody speaks TLS there. */
  certificateTimeoutMs: 5_000,
  /** Of a chain that a server sends; honest ones have two to four. */
  certificateChain: 10,
  /** Names of one certificate that are kept for a report; those of an Exchange have five, of a hoster a hundred. */
  certificateNames: 100,
  /** One name or distinguished name of a certificate, in a report. */
  certificateNameCharacters: 300,
  /** An authority takes a week to issue, and an administrator a week to notice: warned so long before. */
  certificateWarningMs: 30 * 86_400_000,

  // ── Presence: opting in, faces, commands, languages ───────────────────────────────────────────────────────────
  /** A change that nobody waits for is on disk by then (KeptTexts promises a second). */
  keptValuesWriteMs: 500,
  /** After a disk that was full or gone, the next try; then twice as long, and so on. */
  keptValuesRetryPauses: { firstMs: 1_000, longestMs: 60_000 },
  /** A mailbox, or a mailbox and what it is kept for. */
  keptKeyCharacters: 512,
  /** A watermark has about 100, an entity tag fewer. */
  keptTextCharacters: 4 * KIB,
  /** 15,000 people with half a dozen values each, ten times over. */
  keptValues: 1_000_000,
  /** A million short lines; whatever is larger was not written by us. */
  keptFileBytes: 256 * MIB,
  /** Lines beyond those that say something new, before the file is written anew. */
  keptIdleLines: 5_000,
  /** Of one audit log; a switch is 200 bytes. Then it becomes audit.log.1 and so on. */
  auditFileBytes: 16 * MIB,
  /** Older audit logs kept beside the one that is written: about half a million switches. */
  auditFilesKept: 5,
  /** Waiting for a disk that does not take them; beyond it entries are lost, which is said. */
  auditTextCharacters: 1_000,
  /** Every language of the world's calendars, many times over. */
  catalogueFiles: 500,
  /** Five short texts. */
  catalogueBytes: 64 * KIB,
  /** XEP-0108 and PIDF notes are shown on one line. */
  statusTextCharacters: 200,
  /** Different missing languages that are warned of, each once. */
  missingLanguagesSaid: 100,
  /** Proxies give up on a silent answer after 30 to 60 s. */
  presenceKeepAliveMs: 15_000,
  /** How long EventSource waits before it comes back. */
  presenceRetryMs: 2_000,
  /** A watcher that takes nothing for this long is cut off; it comes back, and gets what it has missed. */
  presenceStreamStallMs: 60_000,
  /** Events are written together up to this size; Node's own buffer of a connection is as large. */
  presenceStreamWrite: 16 * KIB,
  /** At the end of a stream its watcher may take what is still on its way; then the connection is cut. */
  presenceStreamEndMs: 2_000,
  /** An id is a process and a number. */
  presenceEventIdCharacters: 100,
  /** Events that wait for one watcher: a whole replay, and what comes meanwhile. */
  presenceStreamWaiting: 30_000,
  /** One opt-in, one state: short keys, short values. */
  presenceBodyBytes: 4 * KIB,
  /** Mailboxes that one call switches, by API or over the control socket; they are stored together. */
  presenceSwitches: 1_000,
  /** Mailboxes in one part of a list over the control socket: 4 MB. */
  presencePage: 10_000,
  /** Publishers and gateways that are tried at the same time by `presence check`. */
  presenceChecks: 8,
  /** All that is tried of one gateway or publisher: DNS, certificates, sign-in, one mailbox, a call-back. */
  presenceCheckMs: 60_000,
  /** How long the canary waits until a watcher sees what was published; Kamailio and Prosody need milliseconds. */
  canaryMs: 15_000,
  /** How often it looks. */
  canaryLooksMs: 200,

  // ── Configuration ─────────────────────────────────────────────────────────────────────────────────────────────
  /** A thousand systems with a hundred domains each fit. */
  configFileBytes: MIB,
  /** The contract nests 5 deep. */
  yamlDepth: 32,
  /** Nodes after aliases are expanded: an alias bomb ends here. */
  yamlNodes: 100_000,
  /** Mistakes in the YAML itself cascade; more than this says nothing new. */
  yamlMistakes: 20,
  /** A chain or a bundle of authorities; Debian's has 220 KB. */
  pemBytes: MIB,
  /** Credentials travel in headers. */
  secretCharacters: 4 * KIB,
  urlCharacters: 2_048,
  deadlineMs: { min: 100, max: 60_000 },

  // ── The demonstration's stand-ins ─────────────────────────────────────────────────────────────────────────────
  /** Requests remembered by one stand-in: for tests and demonstrations; an endless log would be a leak. */
  standInLog: 1_000,
  /** One message is about 4 KB of objects; nobody plays with more people than this. */
  standInMessages: 20_000,
  /** A redo log for tests and demonstrations; older commits are rotated away. */
  standInCommits: 100_000,
  /** Events remembered of one mailbox; whoever is further behind has an invalid watermark, as after thirty days on a real server. */
  standInEvents: 500,
  /** What an account may have on premises (exchange.md §3.4). */
  standInSubscriptions: 5_000,
  /** Form logons that are valid at a time; the oldest is forgotten first. */
  standInSessions: 10_000,
  /** A client's answer to a push; one of Exchange's own size has some hundred bytes. */
  standInCallBackBytes: 65_536,
} as const;

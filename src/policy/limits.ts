/** Bounds of a policy, each with its reason. The schema and docs/policy.md take them from here. */
export const limits = {
  /** Bytes of the file. 10,000 nodes with addresses take 0.7 MiB. */
  fileBytes: 1024 * 1024,
  /** Bytes of a PEM file. The bundle of a Linux distribution has about 0.3 MiB, and a door's file goes to every Envoy. */
  pemBytes: 4 * 1024 * 1024,
  /** Bytes of a users file. A line has about 110 bytes. */
  usersBytes: 4 * 1024 * 1024,
  /** People of one users file. They are held in memory, and a fleet's office has fewer. */
  users: 10_000,
  /** Characters of a person's name; each record carries it. */
  userName: 64,
  /** Problems shown of one users file; a file of another kind has one in every line. */
  userProblems: 20,
  /** YAML aliases; none may hold others, so the file unfolds to at most this many copies of what it says. */
  aliases: 100,
  /** Errors that are taken from the parser, which can have one per byte; several fall on one line. */
  parserErrors: 500,
  /** Syntax errors shown in one run; what a parser says after the first few is rarely true. */
  syntaxProblems: 20,
  /** CIDRs of `fleet.egress`. They go into AWS policies of 2 to 10 KB. */
  egress: 100,
  /** Each group is a snapshot of resources of its own. */
  groups: 100,
  /** Nodes of a fleet, by name or by pattern: what one control plane has been asked to hold. */
  nodes: 10_000,
  /** Each door is a listener on each node of its group. */
  doors: 200,
  /** CIDRs of a door's `from`; Envoy matches them one after another. */
  from: 1000,
  reason: 500,
  /** Hosts of `console.also`. Each is a name in the leaf certificate, and 500 names of 40 bytes are 20 KB per handshake. */
  also: 500,
  resolvers: 16,
  pins: 500,
  /** Addresses of one pin. */
  endpoints: 16,
  redact: 200,
  /** Entries of `resources`, files that they name, bytes of a file, resources in all: every reload reads them, and every node of a group gets them. */
  resourceEntries: 50,
  resourceFiles: 200,
  resourceBytes: 1024 * 1024,
  resources: 1000,
  /** Characters of a resource's name: the log name of a listener is made from it, and has at most 255. */
  resourceName: 200,
  /** Addresses of control planes. Each Envoy asks each of them for its health every few seconds. */
  controlPlanes: 8,
  /** Each output reads the whole journal for itself. */
  outputs: 8,
  /** Bytes of an output's file: below the least, names would outnumber lines; above the most, a file is no longer moved at a sitting. */
  rotateBytes: { min: 65_536, max: 4 * 1024 ** 3, default: 100 * 1024 * 1024 },
  /** Age of an output's file. What ships files by name sees a line that much later. */
  rotateSeconds: { min: 10, max: 30 * 86_400 },
  /**
   * Time between two records of a connection that lasts. Below the least, Envoy gathers entries for longer than that (buffer_flush_interval); above
   * the most, a silent one has ended before (idle_timeout).
   */
  periodicSeconds: { min: 1, max: 3600 },
  /** Refusals of a client that are stored one by one. At least the first is a record; above the most, one client fills a segment of the journal. */
  refusalBurst: { min: 1, max: 100_000, default: 100 },
  /** The same for each minute that follows. At 60 of some 700 bytes a client takes 60 MB a day. */
  refusalRate: { min: 1, max: 100_000, default: 60 },
  /** Time for which refusals are counted in memory. A killed sink forgets what it counted in it. */
  tallySeconds: { min: 1, max: 600 },
  /** How long canary nodes are watched; a change that waits longer than a week has been forgotten. */
  soakSeconds: { min: 1, max: 7 * 86_400 },
} as const;

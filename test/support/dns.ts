import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv4 } from 'node:net';

/** A DNS server that knows what it was told and nothing else. */
export interface DnsServer {
  /** `address:port`, as console.resolvers wants it. */
  readonly at: string;
  /** The names that were asked for, in lower case. */
  readonly asked: ReadonlySet<string>;
  close(): Promise<void>;
}

const types = { A: 1, AAAA: 28 } as const;

/** Answers A and AAAA over UDP (RFC 1035 section 4.1) with the addresses of `zone`; NXDOMAIN for other names. Port 0 is any. */
export async function startDns(
  address: string,
  zone: Readonly<Record<string, readonly string[]>>,
  port = 0,
): Promise<DnsServer> {
  const asked = new Set<string>();
  const socket = createSocket('udp4');
  socket.on('message', (query, { address: to, port: back }) => {
    const { name, type, end } = question(query);
    asked.add(name);
    socket.send(answerTo(query.subarray(0, end), type, zone[name]), back, to);
  });
  socket.bind(port, address);
  await once(socket, 'listening');
  return {
    at: `${address}:${socket.address().port}`,
    asked,
    close: async () => {
      socket.close();
      await once(socket, 'close');
    },
  };
}

/** The first question, and where it ends. */
function question(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function answerTo(head: Buffer, type: number, addresses: readonly string[] | undefined): Buffer {
  const records = (addresses ?? []).filter((one) => type === (isIPv4(one) ? types.A : types.AAAA)).map(recordOf);
  const message = Buffer.from(head);
  // QR, RD, RA; NXDOMAIN where the name is unknown.
  message.writeUInt16BE(0x8180 | (addresses === undefined ? 3 : 0), 2);
  message.writeUInt16BE(1, 4);
  message.writeUInt16BE(records.length, 6);
  message.writeUInt32BE(0, 8);
  return Buffer.concat([message, ...records]);
}

/** The name is a pointer to the question's; the answer holds for no time. */
function recordOf(address: string): Buffer {
  const data = isIPv4(address) ? Buffer.from(address.split('.').map(Number)) : ipv6(address);
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(isIPv4(address) ? types.A : types.AAAA, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

/** RFC 4291 section 2.2, all three forms. */
function ipv6(text: string): Buffer {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  const [, front = '', ...octets] = dotted ?? [];
  const hex = (high = '0', low = '0') => ((Number(high) << 8) | Number(low)).toString(16);
  const whole = dotted === null ? text : `${front}${hex(octets[0], octets[1])}:${hex(octets[2], octets[3])}`;
  const [left = [], right = []] = whole.split('::').map((part) => part.split(':').filter((group) => group !== ''));
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0');
  return Buffer.from([...left, ...zeros, ...right].map((group) => group.padStart(4, '0')).join(''), 'hex');
}

import { SekishoError } from '../base/errors.ts';
import { FieldReader, bytesField, uintField } from './protobuf.ts';

/** sekisho.v1.TrafficReport. Written out by hand as the other messages of ours are; a test compares it with the .proto file. */
export interface TrafficReport {
  /** Milliseconds since 1970; `to` is exclusive. */
  readonly from: number;
  readonly to: number;
  readonly nodes: readonly NodeTraffic[];
}

export interface NodeTraffic {
  readonly node: string;
  readonly requests: number;
  readonly serverErrors: number;
  readonly denied: number;
}

export function encodeTrafficReport({ from, to, nodes }: TrafficReport): Buffer {
  return Buffer.concat([uintField(1, from), uintField(2, to), ...nodes.map((node) => bytesField(3, encodeNode(node)))]);
}

function encodeNode({ node, requests, serverErrors, denied }: NodeTraffic): Buffer {
  return Buffer.concat([bytesField(1, node), uintField(2, requests), uintField(3, serverErrors), uintField(4, denied)]);
}

/** Throws request_malformed. */
export function decodeTrafficReport(bytes: Buffer): TrafficReport {
  try {
    const report = { from: 0, to: 0, nodes: [] as NodeTraffic[] };
    const reader = new FieldReader(bytes);
    while (reader.next()) {
      if (reader.field === 1) report.from = reader.uint();
      else if (reader.field === 2) report.to = reader.uint();
      else if (reader.is(3)) report.nodes.push(readNode(reader.message()));
    }
    return report;
  } catch (caught) {
    throw new SekishoError('request_malformed', 'This is no sekisho.v1.TrafficReport.', { cause: caught });
  }
}

function readNode(reader: FieldReader): NodeTraffic {
  const traffic = { node: '', requests: 0, serverErrors: 0, denied: 0 };
  while (reader.next()) {
    if (reader.is(1)) traffic.node = reader.string();
    else if (reader.field === 2) traffic.requests = reader.uint();
    else if (reader.field === 3) traffic.serverErrors = reader.uint();
    else if (reader.field === 4) traffic.denied = reader.uint();
  }
  return traffic;
}

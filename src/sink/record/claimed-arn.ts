import { BytesMemo } from './bytes-memo.ts';
import { decodingRounds, percentDecodeOnce } from './percent.ts';

const longestArn = 1024; // A user's path of 512 and name of 64, or role and session names of 64, leave room.

/** An IAM or STS principal: partition, account, then a resource of the characters that IAM admits in names and paths. */
const principal =
  /^arn:(?:aws|aws-cn|aws-us-gov|aws-eusc):(?:iam|sts)::\d{12}:(?:root|(?:user|role|assumed-role|federated-user)\/[\w+=,.@/-]+)$/;

/**
 * The principal ARN that the cookie aws-userInfo claims, with its percent-encoding undone; undefined if the text is anything else:
 * where Envoy's expression did not match, it hands over the whole cookie, which must not be stored.
 */
export function claimedArn(text: string): string | undefined {
  let reached = text;
  for (let round = 0; round <= decodingRounds; round += 1) {
    if (reached.length <= longestArn && principal.test(reached)) return reached;
    const decoded = percentDecodeOnce(reached);
    if (decoded === reached) return undefined;
    reached = decoded;
  }
  return undefined;
}

const accepted = new BytesMemo((text) => text === '' || text === '-' || claimedArn(text) !== undefined);

/** Whether these bytes may be stored as the claimed ARN: one that is plain or percent-encoded, or Envoy's word for none. */
export function isClaimedArn(buffer: Buffer, from: number, to: number): boolean {
  return accepted.of(buffer, from, to);
}

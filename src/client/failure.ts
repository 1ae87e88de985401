import { status } from '@grpc/grpc-js';
import { SekishoError, type ErrorCode } from '../base/errors.ts';

/** What ended a call, as the one error class of Sekisho; `server_unreachable` where trying again may help. */
export function failureOf(caught: unknown): SekishoError {
  if (caught instanceof SekishoError) return caught;
  const code: unknown = caught instanceof Error && 'code' in caught ? caught.code : undefined;
  const details: unknown = caught instanceof Error && 'details' in caught ? caught.details : undefined;
  const message = typeof details === 'string' && details !== '' ? details : SekishoError.from(caught).message;
  const kind = typeof code === 'number' ? (final.get(code) ?? 'server_unreachable') : 'internal';
  return new SekishoError(kind, message, { cause: caught });
}

/** What trying again does not mend. All else a restart, a network or too many readers can be the reason of. */
const final: ReadonlyMap<number, ErrorCode> = new Map([
  [status.UNAUTHENTICATED, 'identity_mismatch'],
  [status.PERMISSION_DENIED, 'identity_mismatch'],
  [status.INVALID_ARGUMENT, 'request_malformed'],
  [status.OUT_OF_RANGE, 'request_malformed'],
  [status.FAILED_PRECONDITION, 'request_malformed'],
  [status.NOT_FOUND, 'request_malformed'],
  [status.UNIMPLEMENTED, 'request_malformed'],
  [status.DATA_LOSS, 'record_malformed'],
]);

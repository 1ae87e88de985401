import { status } from '@grpc/grpc-js';
import { SekishoError, type ErrorCode } from '../../base/errors.ts';
import type { Status } from './call.types.ts';

/** A failure as gRPC says it: the code that fits, the message, and nothing of its inside. */
export function statusOf(caught: unknown): Status {
  const error = SekishoError.from(caught);
  return {
    code: codeOf(error.code),
    details: error.code === 'internal' ? 'internal error; the log has more' : beginning(error.message),
  };
}

/** The same for a call that is ended for a reason of ours. Clients come back by themselves after UNAVAILABLE. */
export function statusOfRefusal(error: SekishoError): Status {
  if (error.code === 'server_unreachable') return { code: status.UNAVAILABLE, details: error.message };
  return statusOf(error);
}

/** Headers have room for little, and a status that does not fit in is never sent: the caller would wait for ever. */
const longestDetails = 500;

/** Cut between characters, as half of one cannot be encoded. */
function beginning(text: string): string {
  const characters = Array.from(text.slice(0, 2 * longestDetails + 2));
  return characters.length <= longestDetails ? text : `${characters.slice(0, longestDetails).join('')}…`;
}

function codeOf(code: ErrorCode): status {
  switch (code) {
    case 'identity_mismatch':
      return status.PERMISSION_DENIED;
    case 'node_unknown':
      return status.NOT_FOUND;
    case 'record_malformed':
    case 'request_malformed':
    case 'resource_invalid':
      return status.INVALID_ARGUMENT;
    case 'record_too_large':
    case 'limit_exceeded':
      return status.RESOURCE_EXHAUSTED;
    case 'disk_full':
    case 'disk_failed':
    case 'journal_closed':
      return status.UNAVAILABLE;
    // What a caller did not cause and cannot mend.
    case 'usage':
    case 'policy_invalid':
    case 'file_unreadable':
    case 'file_unwritable':
    case 'folder_in_use':
    case 'journal_corrupt':
    case 'state_invalid':
    case 'state_unshared':
    case 'lease_lost':
    case 'lease_elsewhere':
    case 'reference_missing':
    case 'ca_missing':
    case 'ca_invalid':
    case 'address_in_use':
    case 'server_unreachable':
    case 'envoy_missing':
    case 'envoy_failed':
    case 'internal':
      return status.INTERNAL;
  }
}

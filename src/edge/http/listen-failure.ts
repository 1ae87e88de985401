import { SekishoError, errnoOf } from '../../base/errors.ts';

/**
 * What an operator is told when the system refuses a listening address: `address_in_use` where another process has it, `usage` where the
 * address is none of this machine's or the port needs a privilege, `internal` for the rest.
 */
export function listenFailure(caught: unknown, host: string, port: number): SekishoError {
  const at = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const options = { facts: { host, port }, cause: caught };
  switch (errnoOf(caught)) {
    case 'EADDRINUSE':
      return new SekishoError(
        'address_in_use',
        `${at} is in use: stop the process that listens there, or choose another port`,
        options,
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new SekishoError('usage', `${at} is no address of this machine: choose one that it has`, options);
    case 'EACCES':
      return new SekishoError('usage', `this user may not listen on ${at}: choose a port above 1023`, options);
    case undefined:
      return SekishoError.from(caught);
    default:
      return new SekishoError('internal', `cannot listen on ${at}: ${String(errnoOf(caught))}`, options);
  }
}

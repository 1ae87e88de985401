import { SekishoError } from '../../base/errors.ts';

/** What the administration address of the running service answers at `path`, to GET unless told otherwise, as JSON. Throws `lease_elsewhere` or `server_unreachable`. */
export async function askService<T>(admin: string, path: string, init: RequestInit = {}): Promise<T> {
  const url = new URL(path, admin);
  try {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(5_000) });
    if (response.status === 409) {
      const { error } = (await response.json()) as { readonly error: string };
      throw new SekishoError('lease_elsewhere', error);
    }
    if (!response.ok) throw new Error(`it answered ${response.status}`);
    return (await response.json()) as T;
  } catch (caught) {
    if (caught instanceof SekishoError) throw caught;
    const why = caught instanceof Error && caught.cause instanceof Error ? caught.cause.message : String(caught);
    throw new SekishoError(
      'server_unreachable',
      `no answer from ${url.href} (${why}) — is sekisho serve running? Name its address with --admin`,
      { cause: caught },
    );
  }
}

/** The Envoy that Sekisho is tested with; envoy/Dockerfile and the documentation name the same. */
export const pinnedVersion = '1.40.0';

/** Older ones lack fields that our resources use (see docs/operations.md); they would start and then refuse every door. */
export const oldestVersion = '1.40';

/** `1.40.0` out of what `envoy --version` prints; undefined when it is not an Envoy that speaks. */
export function versionIn(output: string): string | undefined {
  return /version: [0-9a-f]+\/(\d+\.\d+\.\d+)/.exec(output)?.[1];
}

/** Whether a version, as in `1.40.0`, is `oldestVersion` or newer. */
export function isNewEnough(version: string): boolean {
  const [major, minor] = numbers(version);
  const [oldestMajor, oldestMinor] = numbers(oldestVersion);
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}

function numbers(version: string): [major: number, minor: number] {
  const [major, minor] = version.split('.');
  return [Number(major), Number(minor)];
}

/** Short names of Envoy's response flags by their field number in ResponseFlags, as in `%RESPONSE_FLAGS%`. */
const responseFlagNames: Readonly<Record<number, string>> = {
  ...{ 1: 'LH', 2: 'UH', 3: 'UT', 4: 'LR', 5: 'UR', 6: 'UF', 7: 'UC', 8: 'UO', 9: 'NR', 10: 'DI', 11: 'FI', 12: 'RL' },
  ...{
    13: 'UAEX',
    14: 'RLSE',
    15: 'DC',
    16: 'URX',
    17: 'SI',
    18: 'IH',
    19: 'DPE',
    20: 'UMSDR',
    21: 'RFCF',
    22: 'NFCF',
  },
  ...{ 23: 'DT', 24: 'UPE', 25: 'NC', 26: 'OM', 27: 'DF', 28: 'DR' },
};

/** A flag's short name; one of a later Envoy by its number. */
export function responseFlagName(field: number): string {
  return responseFlagNames[field] ?? `flag ${field}`;
}

/** By number: envoy.config.core.v3.RequestMethod. */
const requestMethods = ['', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'];

/** A method outside Envoy's list is unspecified (0), and so undefined. */
export function requestMethodName(number: number): string | undefined {
  return requestMethods[number] || undefined;
}

/** The number of a method; 0 for one outside the list. */
export function requestMethodNumber(name: string): number {
  return Math.max(0, requestMethods.indexOf(name));
}

/** By number: HTTPAccessLogEntry.HTTPVersion. */
const httpVersions = ['', '1.0', '1.1', '2', '3'];

export function httpVersionName(number: number): string | undefined {
  return httpVersions[number] || undefined;
}

/** The number of `HTTP/1.1`; 0 where it is none of the list. */
export function httpVersionNumber(protocol: string): number {
  return Math.max(0, httpVersions.indexOf(protocol.replace(/^HTTP\//, '')));
}

/** By number: TLSProperties.TLSVersion. */
export function tlsVersionName(number: number): string | undefined {
  return [undefined, '1.0', '1.1', '1.2', '1.3'][number];
}

/** By number: envoy.data.accesslog.v3.AccessLogType; 0 is NotSet. */
const accessLogTypes = [
  ...['', 'TcpUpstreamConnected', 'TcpPeriodic', 'TcpConnectionEnd', 'DownstreamStart', 'DownstreamPeriodic'],
  ...[
    'DownstreamEnd',
    'UpstreamPoolReady',
    'UpstreamPeriodic',
    'UpstreamEnd',
    'DownstreamTunnelSuccessfullyEstablished',
  ],
  ...['UdpTunnelUpstreamConnected', 'UdpPeriodic', 'UdpSessionEnd', 'TcpConnectionStart'],
];

export function accessLogTypeName(number: number): string | undefined {
  return accessLogTypes[number] || undefined;
}

/** The other way round, for what comes as text. Each gives 0, the default of proto3, for a name that it does not know. */
function numbersOf(nameOf: (number: number) => string | undefined, last: number, prefix = ''): Map<string, number> {
  const numbers = new Map<string, number>();
  for (let number = 1; number <= last; number += 1) {
    const name = nameOf(number);
    if (name !== undefined) numbers.set(prefix + name, number);
  }
  return numbers;
}

const responseFlagNumbers = numbersOf((number) => responseFlagNames[number], 28);
const tlsVersionNumbers = numbersOf((number) => tlsVersionName(number)?.replace(/^1\.0$/, '1'), 4, 'TLSv');
const accessLogTypeNumbers = numbersOf(accessLogTypeName, accessLogTypes.length - 1);

/** The field of ResponseFlags that `%RESPONSE_FLAGS%` calls so. */
export function responseFlagNumber(name: string): number {
  return responseFlagNumbers.get(name) ?? 0;
}
/** TLSProperties.TLSVersion, as `%DOWNSTREAM_TLS_VERSION%` says it. */
export function tlsVersionNumber(name: string): number {
  return tlsVersionNumbers.get(name) ?? 0;
}
/** envoy.data.accesslog.v3.AccessLogType, as `%ACCESS_LOG_TYPE%` says it. */
export function accessLogTypeNumber(name: string): number {
  return accessLogTypeNumbers.get(name) ?? 0;
}

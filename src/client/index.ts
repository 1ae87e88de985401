/** `sekisho/client`: the records of a sink for programs. Everything that is exported here is public. */
export { connectRecords, type RecordsClient, type QueryOptions, type TailOptions } from './connect.ts';
export type { Connection, TlsFiles } from './channel.ts';
export type { Found, FoundRecord, NamedRecord, Unreadable } from './found.types.ts';
export { SekishoError, type ErrorCode } from '../base/errors.ts';
export type { RecordForm } from '../wire/records-api.ts';

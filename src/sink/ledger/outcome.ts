import { FieldReader } from '../../wire/protobuf.ts';
import { nanosecondsIn } from '../../wire/timestamp.ts';
import { accessLogCommon, httpAccessLogEntry } from '../record/entry-fields.ts';

/** envoy.data.accesslog.v3.AccessLogType: what a request has one of, and no more than one. Loggers that say nothing write at the end, too. */
const endTypes: ReadonlySet<number> = new Set([0, 6]);

/**
 * When a request ended, by the Envoy's clock in milliseconds since 1970; 0 where its entry does not say, undefined where the entry is no outcome. A
 * long request is taken to have ended somewhat earlier: its duration was measured by a clock that nobody sets, and that may differ from the other by 0.05 %.
 */
export function endOf(entry: Buffer): number | undefined {
  const part = new FieldReader(entry);
  while (part.next()) if (part.is(httpAccessLogEntry.common_properties)) return endIn(part.message());
  return 0;
}

/** Whether a stored entry is an outcome. */
export function isOutcome(entry: FieldReader): boolean {
  while (entry.next()) {
    if (entry.is(httpAccessLogEntry.common_properties)) return endTypes.has(typeIn(entry.message()));
  }
  return true;
}

function endIn(common: FieldReader): number | undefined {
  let [start, duration, type] = [0n, 0n, 0];
  while (common.next()) {
    if (common.field === accessLogCommon.start_time) start = nanosecondsIn(common.message());
    else if (common.field === accessLogCommon.duration) duration = nanosecondsIn(common.message());
    else if (common.field === accessLogCommon.access_log_type) type = common.uint();
  }
  if (!endTypes.has(type)) return undefined;
  return start === 0n ? 0 : Math.floor(Number(start) / 1e6 + (Number(duration) / 1e6) * (1 - drift));
}

const drift = 0.0005;

function typeIn(common: FieldReader): number {
  let type = 0;
  while (common.next()) if (common.field === accessLogCommon.access_log_type) type = common.uint();
  return type;
}

import { unrecordedPage } from './refusal-page.ts';
import { extension } from './types.ts';

/** What Envoy notes where the question of a door got no answer: no sink is there, or none that can write. */
const unanswered = {
  extension_filter: extension(
    'envoy.access_loggers.extension_filters.cel',
    'envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter',
    { expression: "response.code_details == 'ext_authz_error'" },
  ),
};

const asksForHtml = {
  header_filter: { header: { name: 'accept', string_match: { contains: 'text/html', ignore_case: true } } },
};

/** In place of the empty 503 that Envoy gives by itself: a page for browsers, a line for others and for CONNECT, of which browsers show nothing. */
export function unrecordedReply(most: 'page' | 'line'): object {
  const page = reply(
    { and_filter: { filters: [unanswered, asksForHtml] } },
    unrecordedPage,
    'text/html; charset=utf-8',
  );
  return {
    mappers: [...(most === 'page' ? [page] : []), reply(unanswered, unrecordedLine, 'text/plain; charset=utf-8')],
  };
}

const unrecordedLine =
  'sekisho: not let through, because nothing passes this gateway unrecorded and its record cannot be written at this moment; nothing was sent, try again in a minute\n';

function reply(filter: object, body: string, contentType: string): object {
  return {
    filter,
    headers_to_add: [{ header: { key: 'retry-after', value: '10' }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' }],
    body_format_override: { text_format_source: { inline_string: body }, content_type: contentType },
  };
}

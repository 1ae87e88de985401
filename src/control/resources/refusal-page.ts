/**
 * What a person sees who asks for what is not let through: a host off the list, or anything without TLS. It holds nothing of the
 * request: a page that repeats what it was asked is one that others can write on. Envoy's bound is 4096 bytes.
 */
export const refusalPage = page(
  'Not let through',
  `<p>Your company's gateway to the AWS Management Console lets through only HTTPS to the hosts on its list; this request was refused and put on record.
<p>If you need this host, tell the people who run the gateway its name, and they can add it to the list.`,
);

/** What a person sees while the record cannot be written. Envoy reads it as a format string, so it has no percent sign. */
export const unrecordedPage = page(
  'Not let through at this moment',
  `<p>Nothing passes your company's gateway to the AWS Management Console before it is on record, and at this moment the record cannot be written. This request was not sent to AWS.
<p>Try again in a minute. If it stays like this, tell the people who run the gateway.`,
);

function page(title: string, text: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>body { font: 1rem/1.5 system-ui, sans-serif; max-width: 36rem; margin: 15vh auto; padding: 0 1rem }</style>
<h1>${title}</h1>
${text}
</html>
`;
}

/** Who entered at a door, from the tag `user`. */
export interface DoorUser {
  /** The person's name: the subject's common name, or what the door authenticated. */
  readonly id: string;
  /** The certificate's whole subject (RFC 2253), where there was a certificate. */
  readonly subject?: string;
}

/** A certificate subject like `CN=taro.yamada,O=Example`, or a plain name; undefined for '' and Envoy's `-`. */
export function doorUser(tag: string | undefined): DoorUser | undefined {
  if (tag === undefined || tag === '' || tag === '-') return undefined;
  const attributes = attributesOf(tag);
  if (attributes === undefined) return { id: tag };
  const name = attributes.find(([type]) => type.toUpperCase() === 'CN')?.[1];
  return { id: name === undefined || name === '' ? tag : name, subject: tag };
}

/** The attributes of a distinguished name in RFC 2253 form; undefined where the text is none. */
function attributesOf(subject: string): [type: string, value: string][] | undefined {
  const attributes: [string, string][] = [];
  // A value ends at a `,` or `+` that no backslash escapes.
  for (const part of subject.match(/(?:\\.|[^,+\\])+/gs) ?? []) {
    const attribute = /^\s*([A-Za-z][\w-]*|\d+(?:\.\d+)+)\s*=(.*)$/s.exec(part);
    if (attribute === null) return undefined;
    attributes.push([attribute[1] ?? '', unescaped(attribute[2] ?? '')]);
  }
  return attributes.length === 0 ? undefined : attributes;
}

/** `\,` stands for itself, `\C3\A4` for UTF-8 bytes. */
function unescaped(value: string): string {
  return value.trim().replaceAll(/(?:\\[0-9A-Fa-f]{2})+|\\(.)/gs, (whole: string, char: string | undefined) => {
    return char ?? Buffer.from(whole.replaceAll('\\', ''), 'hex').toString('utf8');
  });
}

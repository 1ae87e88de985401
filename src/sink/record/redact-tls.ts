import type { FieldReader } from '../../wire/protobuf.ts';
import * as fields from './entry-fields.ts';
import type { Redaction } from './redaction.ts';

const { tlsProperties, certificateProperties, subjectAltName } = fields;

/** TLSProperties: the server name is a client's own text, and so is a certificate that nobody verified. */
export function redactTls(tls: FieldReader, redaction: Redaction): void {
  while (tls.next()) {
    if (tls.is(tlsProperties.tls_sni_hostname)) redaction.text(tls, 'tls_properties.tls_sni_hostname');
    else if (tls.is(tlsProperties.peer_certificate_properties)) redactCertificate(tls.message(), redaction);
  }
}

function redactCertificate(certificate: FieldReader, redaction: Redaction): void {
  while (certificate.next()) {
    if (certificate.is(certificateProperties.subject)) redaction.text(certificate, 'peer_certificate.subject');
    else if (certificate.is(certificateProperties.issuer)) redaction.text(certificate, 'peer_certificate.issuer');
    else if (certificate.is(certificateProperties.subject_alt_name)) {
      const name = certificate.message();
      while (name.next())
        if (name.is(subjectAltName.uri) || name.is(subjectAltName.dns)) redaction.text(name, 'peer_certificate.name');
    }
  }
}

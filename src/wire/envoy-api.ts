import path from 'node:path';
import protobuf from 'protobufjs';
import { SekishoError } from '../base/errors.ts';
import { shippedFiles } from '../base/shipped-files.ts';
import { newerFields } from './newer-fields.ts';
import { protoFile } from './proto-files.ts';

/** The .proto files that hold every message that Sekisho writes to Envoy; their imports follow by themselves. */
const entryFiles = [
  'envoy/config/bootstrap/v3/bootstrap.proto',
  'envoy/config/cluster/v3/cluster.proto',
  'envoy/config/endpoint/v3/endpoint.proto',
  'envoy/config/listener/v3/listener.proto',
  'envoy/config/route/v3/route.proto',
  'envoy/extensions/access_loggers/filters/cel/v3/cel.proto',
  'envoy/extensions/access_loggers/grpc/v3/als.proto',
  'envoy/extensions/access_loggers/open_telemetry/v3/logs_service.proto',
  'envoy/extensions/bootstrap/internal_listener/v3/internal_listener.proto',
  'envoy/extensions/clusters/dynamic_forward_proxy/v3/cluster.proto',
  'envoy/extensions/filters/http/dynamic_forward_proxy/v3/dynamic_forward_proxy.proto',
  'envoy/extensions/filters/http/ext_authz/v3/ext_authz.proto',
  'envoy/extensions/filters/http/header_mutation/v3/header_mutation.proto',
  'envoy/extensions/filters/http/header_to_metadata/v3/header_to_metadata.proto',
  'envoy/extensions/filters/http/router/v3/router.proto',
  'envoy/extensions/filters/http/set_filter_state/v3/set_filter_state.proto',
  'envoy/extensions/filters/http/upstream_codec/v3/upstream_codec.proto',
  'envoy/extensions/filters/listener/original_dst/v3/original_dst.proto',
  'envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector.proto',
  'envoy/extensions/filters/network/ext_authz/v3/ext_authz.proto',
  'envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.proto',
  'envoy/extensions/filters/network/sni_dynamic_forward_proxy/v3/sni_dynamic_forward_proxy.proto',
  'envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy.proto',
  'envoy/extensions/http/early_header_mutation/header_mutation/v3/header_mutation.proto',
  'envoy/extensions/matching/common_inputs/network/v3/network_inputs.proto',
  'envoy/extensions/network/dns_resolver/cares/v3/cares_dns_resolver.proto',
  'envoy/extensions/transport_sockets/internal_upstream/v3/internal_upstream.proto',
  'envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer.proto',
  'envoy/extensions/transport_sockets/tls/v3/tls.proto',
  'envoy/extensions/upstreams/http/v3/http_protocol_options.proto',
  'envoy/service/accesslog/v3/als.proto',
  'envoy/service/auth/v3/external_auth.proto',
  'envoy/service/cluster/v3/cds.proto',
  'envoy/service/discovery/v3/ads.proto',
  'envoy/service/endpoint/v3/eds.proto',
  'envoy/service/extension/v3/config_discovery.proto',
  'envoy/service/listener/v3/lds.proto',
  'envoy/service/metrics/v3/metrics_service.proto',
  'envoy/service/route/v3/rds.proto',
  'envoy/service/runtime/v3/rtds.proto',
  'envoy/service/secret/v3/sds.proto',
  'envoy/service/status/v3/csds.proto',
  'xds/core/v3/cidr.proto',
  'xds/type/matcher/v3/ip.proto',
  'xds/type/matcher/v3/matcher.proto',
];

let loaded: protobuf.Root | undefined;

/** Envoy's API as reflection, with the newer fields added; loaded at the first use (about 0.2 s), then kept. */
export function envoyApi(): protobuf.Root {
  loaded ??= load();
  return loaded;
}

/**
 * The message of this full name; undefined for one that is not shipped. What Sekisho itself never writes is loaded when somebody asks for it, with all
 * that stands in its folder.
 */
export function messageType(name: string): protobuf.Type | undefined {
  const root = envoyApi();
  const known = root.lookup(name, protobuf.Type);
  if (known instanceof protobuf.Type) return known;
  const files = filesOf(name);
  if (files.length === 0) return undefined;
  root.loadSync(files, { keepCase: true });
  root.resolveAll();
  const found = root.lookup(name, protobuf.Type);
  return found instanceof protobuf.Type ? found : undefined;
}

/** The files of the package that a message is of: `envoy.extensions.filters.http.lua.v3.Lua` is in `envoy/extensions/filters/http/lua/v3`. */
function filesOf(name: string): string[] {
  const [folder] = /^(?:envoy|xds|udpa)(?:\.[a-z][a-z0-9_]*)+(?=\.[A-Z])/.exec(name) ?? [];
  if (folder === undefined) return [];
  const place = folder.replaceAll('.', '/');
  return shippedFiles(path.dirname(protoFile(`${place}/x.proto`)))
    .filter((file) => file.endsWith('.proto'))
    .map((file) => `${place}/${file}`)
    .filter((file) => !incomplete.has(file));
}

/** Files that import what no package ships. */
const incomplete: ReadonlySet<string> = new Set([
  'envoy/config/trace/v3/opencensus.proto',
  'envoy/config/trace/v3/trace.proto',
]);

function load(): protobuf.Root {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => protoFile(target);
  root.loadSync(entryFiles, { keepCase: true });
  for (const { message, field, number, type, repeated } of newerFields) {
    typeNamed(root, message).add(new protobuf.Field(field, number, type, repeated && 'repeated'));
  }
  root.resolveAll();
  return root;
}

function typeNamed(root: protobuf.Root, name: string): protobuf.Type {
  const known = root.lookup(name, protobuf.Type);
  if (known instanceof protobuf.Type) return known;
  const dot = name.lastIndexOf('.');
  const created = new protobuf.Type(name.slice(dot + 1));
  const parent = root.lookup(name.slice(0, dot));
  if (!(parent instanceof protobuf.Namespace)) throw new SekishoError('internal', `no place for the message ${name}`);
  parent.add(created);
  return created;
}

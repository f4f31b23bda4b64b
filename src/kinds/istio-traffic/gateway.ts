/** networking/v1alpha3 Gateway: what gateways listen for, those of every namespace that its selector picks. */
import { excerpt, fieldOf, listOf } from '../../kubernetes/json.ts';
import { secretName } from './secret-name.ts';
import { type Misfit, misfits, type Shape } from './shape.ts';
import { type LedHost, noTraffic, type Reference, type Traffic } from './traffic.ts';
import { namesHost, textOf, texts, textsOf } from './values.ts';

export const gatewayShape: Shape = {
  selector: 'anything',
  servers: [
    {
      ...{ name: 'anything', hosts: texts, bind: 'text', defaultEndpoint: 'text' },
      port: { number: 'anything', name: 'anything', protocol: 'text', targetPort: 'anything' },
      tls: {
        ...{ credentialName: 'text', credentialNames: texts, caCertCredentialName: 'text' },
        ...{ httpsRedirect: 'anything', mode: 'anything', subjectAltNames: 'anything', cipherSuites: 'anything' },
        ...{ serverCertificate: 'anything', privateKey: 'anything', caCertificates: 'anything', caCrl: 'anything' },
        ...{ tlsCertificates: 'anything', verifyCertificateSpki: 'anything', verifyCertificateHash: 'anything' },
        ...{ minProtocolVersion: 'anything', maxProtocolVersion: 'anything', insecureSkipVerify: 'anything' },
      },
    },
  ],
};

/** Where a server listens on every address, as all others do. */
const everywhere: ReadonlySet<string> = new Set(['', '0.0.0.0', '::']);

export function readGateway(spec: unknown, namespace: string): Traffic {
  const servers = listOf(fieldOf(spec, 'servers')).map((server, index) => ({ server, path: `spec.servers[${index}]` }));
  return {
    ...noTraffic,
    hosts: servers.flatMap(({ server, path }) =>
      (textsOf(fieldOf(server, 'hosts'), `${path}.hosts`) ?? []).map(
        (one): LedHost => ({ path: one.path, text: withoutNamespace(one.text), at: 'gateway' }),
      ),
    ),
    references: servers.flatMap(({ server, path }) => secretsIn(fieldOf(server, 'tls'), `${path}.tls`, namespace)),
    misfits: [
      ...misfits(spec, gatewayShape, 'spec'),
      ...servers.flatMap(({ server, path }) => listening(server, path)),
    ],
  };
}

/** `NAMESPACE/HOST`: of which namespace VirtualServices may answer for it. */
function withoutNamespace(host: string): string {
  return host.slice(host.indexOf('/') + 1);
}

/** Ways to take more of a gateway than the hosts of the server. */
function listening(server: unknown, path: string): readonly Misfit[] {
  const protocol = textOf(fieldOf(fieldOf(server, 'port'), 'protocol'));
  const bind = textOf(fieldOf(server, 'bind'));
  const found: Misfit[] = [];
  if (listOf(fieldOf(server, 'hosts')).length === 0) {
    const reason = 'names no host, so it takes every connection that no other server takes';
    found.push({ path: `${path}.hosts`, reason, fix: 'write the hosts' });
  }
  if (!namesHost(protocol)) {
    const number = fieldOf(fieldOf(server, 'port'), 'number');
    const reason = `takes every connection to port ${String(number)} of the gateways that the selector picks, in whichever namespace, since ${excerpt(protocol)} names no host`;
    found.push({ path: `${path}.port.protocol`, reason, fix: 'write HTTP, HTTPS, TLS or GRPC' });
  }
  if (!everywhere.has(bind)) {
    const reason = `listens on ${excerpt(bind)} alone, and takes connections there from the servers of others on that port`;
    found.push({ path: `${path}.bind`, reason, fix: 'remove it' });
  }
  const endpoint = textOf(fieldOf(server, 'defaultEndpoint'));
  if (endpoint !== '') {
    const reason = `leads to ${excerpt(endpoint)} at the gateways themselves`;
    found.push({ path: `${path}.defaultEndpoint`, reason, fix: 'remove it' });
  }
  return found;
}

function secretsIn(tls: unknown, path: string, own: string): readonly Reference[] {
  const written = [
    { path: `${path}.credentialName`, text: textOf(fieldOf(tls, 'credentialName')) },
    { path: `${path}.caCertCredentialName`, text: textOf(fieldOf(tls, 'caCertCredentialName')) },
    ...(textsOf(fieldOf(tls, 'credentialNames'), `${path}.credentialNames`) ?? []),
  ];
  return written.flatMap((one): readonly Reference[] =>
    one.text === '' ? [] : [{ path: one.path, ...secretName(one.text, own), role: 'secret' }],
  );
}

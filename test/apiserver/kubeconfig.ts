import type { KeyPair } from './certificates.ts';

/** A kubeconfig that names no other file and holds one user. JSON is YAML, and this way nothing needs quoting. */
export function kubeconfigText(server: string, caCertificate: string, user: string, pair: KeyPair): string {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const cluster = { server, 'certificate-authority-data': base64(caCertificate) };
  const credentials = { 'client-certificate-data': base64(pair.certificate), 'client-key-data': base64(pair.key) };
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster }],
    users: [{ name: user, user: credentials }],
    contexts: [{ name: 'test', context: { cluster: 'test', user } }],
    'current-context': 'test',
  });
}

/** The name of a Service in the DNS of the cluster. */

export interface ServiceName {
  readonly namespace: string;
  readonly name: string;
  /** It says `svc`, so it can be nothing else; NAME.NAMESPACE may also be a name of the internet. */
  readonly isSure: boolean;
}

/** `NAME.NAMESPACE`, `NAME.NAMESPACE.svc`, `NAME.NAMESPACE.svc.cluster.local`; below a headless Service its pods have names too. */
export function serviceNameOf(text: string): ServiceName | undefined {
  const labels = text.toLowerCase().replace(/\.$/, '').split('.');
  const at = labels.indexOf('svc');
  if (at < 2 && labels.length !== 2) return undefined;
  const [name = '', namespace = ''] = at < 2 ? labels : labels.slice(at - 2, at);
  return { namespace, name, isSure: at >= 2 };
}

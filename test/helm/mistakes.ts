/** Values that the chart refuses, and what the error must name. */
type Mistake = readonly [says: string, values: object, ...reasons: RegExp[]];

export const mistakes: readonly Mistake[] = [
  ['a word that no value has', { replica: 3 }, /replica\b/],
  ['a word inside a group', { image: { tagg: '1' } }, /image/, /tagg/],
  ['a word in the settings', { settings: { platfrom: {} } }, /settings/, /platfrom/],
  ['a word in a tenant', { tenancy: { tenants: { acme: { mod: 'warn' } } } }, /tenancy.tenants.acme/, /mod\b/],
  ['a word for a mode', { tenancy: { tenants: { acme: { mode: 'loud' } } } }, /tenancy.tenants.acme.mode/, /enforce/],
  ['the name of a tenant', { tenancy: { tenants: { Acme: {} } } }, /tenancy.tenants/, /Acme/],
  ['a source of certificates', { certificates: { source: 'vault' } }, /certificates.source/, /selfManaged/],
  ['no replica', { replicas: 0 }, /replicas/],
  ['a key in the values', { certificates: { key: 'PRIVATE' } }, /certificates/, /'?key'?/],
  ['a value that is taken away', { image: null }, /image/],
  ['an image with a tag in its name', { image: { tag: 'v1 --privileged' } }, /image.tag/],
  ['a tag that moves', { image: { tag: 'latest' } }, /image\.tag is latest.*name a version, or image\.digest/],
  [
    'tenants that are not read',
    { tenancy: { from: 'objects', tenants: { acme: {} } } },
    /tenancy\.tenants has no effect/,
  ],
  [
    'settings twice',
    { settings: { mesh: 'none' }, existingSettings: { configMap: 'mine' } },
    /settings and existingSettings\.configMap are both given/,
  ],
  ...['bulkhead-settings', 'bulkhead-tenants', 'bulkhead-dashboard'].map(
    (configMap): Mistake => [
      `settings in ${configMap}`,
      { existingSettings: { configMap } },
      new RegExp(`${configMap}, which this chart creates and deletes`),
    ],
  ),
  [
    'rights for settings that are not there',
    { existingSettings: { clusterPolicy: true } },
    /existingSettings\.clusterPolicy needs existingSettings\.configMap/,
  ],
  ['a name that no ConfigMap has', { existingSettings: { configMap: 'Mine' } }, /existingSettings.configMap/],
  ['the label of the Service', { podLabels: { 'app.kubernetes.io/name': 'x' } }, /podLabels cannot set/],
  ['names without a CA', { clientAuthority: { names: ['kube-apiserver'] } }, /clientAuthority\.names needs/],
  [
    'an issuer that is not asked',
    { certificates: { issuerRef: { name: 'x' } } },
    /certificates\.issuerRef has no effect/,
  ],
  ['a backstop of another kind', { backstop: 'apiVersion: v1\nkind: Secret\n' }, /backstop: has a v1 Secret/],
  ['a backstop that is no YAML', { backstop: 'a: [' }, /backstop: not YAML/],
  ...['debug', '--insecure', '--read-only', '--port=1', '--log-level', '--log-level=loud', '--log-level=info\n- x'].map(
    (extra): Mistake => [`the argument ${extra}`, { extraArgs: [extra] }, /extraArgs/],
  ),
  ['a limit of nothing', { extraArgs: ['--rotation=settle=0'] }, /extraArgs/],
  [
    'a rotation of what others renew',
    { certificates: { source: 'static' }, extraArgs: ['--rotation=settle=30,tick=5'] },
    /--rotation needs certificates\.source=selfManaged/,
  ],
];

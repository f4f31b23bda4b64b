import { excerpt } from '../kubernetes/json.ts';
import type { Exemption } from '../tenancy/exemption.ts';
import { parseSubject } from '../tenancy/parse-subject.ts';
import { parseTime } from '../tenancy/parse-time.ts';
import {
  inReadingOrder,
  type Loaded,
  type Located,
  type Problem,
  type Report,
  reportInto,
} from '../tenancy/problem.ts';
import { checkDocumentBy } from '../tenancy/schema/check-document.ts';
import { fitsPattern } from '../tenancy/schema/fits-pattern.ts';
import { objectName } from '../tenancy/schema/names.ts';
import { suggestion } from '../tenancy/suggestion.ts';
import { type ExemptionDocument, exemptionSchema } from './exemption-schema.ts';
import { isImage, noImage } from './images.ts';
import { makerOf, ownerKinds } from './pod-makers.ts';

const checkDocument = checkDocumentBy<ExemptionDocument>(exemptionSchema);

/** Fields of `match` that say something about pods alone. */
const aboutPods = ['owner', 'serviceAccounts', 'images'] as const;

/** What a problem of an Exemption object names as its file: what kubectl takes. */
export function exemptionFile(name: string): string {
  return `exemptions.bulkhead.dev/${name}`;
}

/** Reads one `Exemption` document. Only what the document says by itself is judged; doubt.ts looks at the rest. */
export function parseExemption(document: Located<unknown>): Loaded<Exemption> {
  const checked = checkDocument(document);
  if (!checked.ok) return checked;
  const { metadata, spec } = checked.value.value;
  const { kinds, names, owner, serviceAccounts, images, requesters } = spec.match;
  const problems: Problem[] = [];
  const report = reportInto(problems, document.locate);
  const at = ['spec', 'match'];
  if ((names ?? owner ?? serviceAccounts ?? images ?? requesters) === undefined) {
    report(
      at,
      'matches every object of the namespace',
      'give at least one of names, owner, serviceAccounts, images and requesters',
    );
  }
  if (kinds !== undefined && !kinds.includes('Pod')) {
    for (const field of aboutPods)
      if (spec.match[field] !== undefined)
        report([...at, field], `says something about pods, and ${kinds.join(', ')} is none`, 'add Pod to kinds', 'key');
  }
  const of = owner === undefined ? undefined : parseOwner(owner, report);
  if (of !== undefined && of.group === undefined && requesters !== undefined) {
    const reason = 'cannot match together with owner: the controller of the owner sends the request';
    report([...at, 'requesters'], reason, 'keep one of the two', 'key');
  }
  if (of?.group !== undefined && requesters === undefined) {
    const reason = `is of the API group ${of.group}, and every author of a pod can write such an owner`;
    report([...at, 'owner'], reason, 'add requesters: the account of the controller that creates its pods');
  }
  for (const [index, image] of (images ?? []).entries()) {
    if (!isImage(image)) report([...at, 'images', index], `${excerpt(image)} ${noImage.reason}`, noImage.fix);
  }
  const expires = parseTime(spec.expires);
  if (!expires.ok) report(['spec', 'expires'], expires.reason, expires.fix);
  const value: Exemption = {
    name: metadata.name,
    tenant: spec.tenant,
    namespace: spec.namespace,
    checks: new Set(spec.checks),
    match: {
      kinds: kinds && new Set(kinds),
      names: names && new Set(names),
      owner: of,
      serviceAccounts: serviceAccounts && new Set(serviceAccounts),
      images,
      requesters: requesters?.flatMap((one, index) => parseSubject(one, [...at, 'requesters', index], report) ?? []),
    },
    expires: expires.ok ? expires.value : 0,
  };
  return problems.length === 0 ? { ok: true, value, warnings: [] } : { ok: false, problems: inReadingOrder(problems) };
}

function parseOwner(text: string, report: Report): Exemption['match']['owner'] {
  const [typed = '', name = ''] = text.split('/');
  const [kind = '', ...rest] = typed.split('.');
  const group = rest.length === 0 ? undefined : rest.join('.');
  const steps = ['spec', 'match', 'owner'];
  const maker = makerOf(kind);
  if (maker === undefined && group === undefined) {
    const meant = suggestion(kind, ownerKinds);
    const fix =
      meant === undefined ? `write one of ${ownerKinds.join(', ')}, or KIND.GROUP/NAME` : `did you mean ${meant}?`;
    return report(steps, `${excerpt(kind)} is no workload of Kubernetes that makes pods`, fix);
  }
  if (!fitsPattern(name, objectName)) return report(steps, `${excerpt(name)} is not the name of a ${kind}`);
  return { kind, group: maker?.group === group ? undefined : group, name };
}

/** Whose proxies read an object of Istio that leads traffic. */
import { excerpt } from '../kubernetes/json.ts';
import type { UnreadRequest } from '../kubernetes/review.ts';
import { listed } from '../reach/listed.ts';
import type { UnreadFacts } from './check.ts';
import { isOwnNamespace } from './own-namespace.ts';
import type { JudgedTraffic } from './traffic-objects.ts';

export type Audience =
  | { readonly isForOthers: false }
  | {
      readonly isForOthers: true;
      /** Ends a sentence. */
      readonly because: string;
      /** Undefined: nothing that its author could write. */
      readonly fix: string | undefined;
    };

const shown = 3;

/** networking/v1alpha3, exportTo: `.` is the namespace of the object, `*` every one, `~` none; without any, what the MeshConfig says. */
export function audienceOf({ traffic, istio }: JudgedTraffic, request: UnreadRequest, facts: UnreadFacts): Audience {
  if (istio.ambient !== false) {
    const mode =
      istio.ambient === true
        ? 'proxies in ambient mode ignore'
        : 'the settings do not say that no pod is in ambient mode, whose proxies ignore';
    return {
      isForOthers: true,
      because: `${mode} exportTo, so those of every tenant read this (istio.ambient)`,
      fix: undefined,
    };
  }
  const { exportTo } = traffic;
  const fix = 'write exportTo: ["."]';
  const foreign = (texts: readonly string[]) =>
    texts.filter((one) => one !== '.' && one !== '~' && (one === '*' || !isOwnNamespace(one, request, facts)));
  if (exportTo === undefined) {
    const left = foreign(istio.defaultExportTo);
    if (left.length === 0) return { isForOthers: false };
    return { isForOthers: true, because: 'without exportTo, proxies of other tenants read this', fix };
  }
  const left = foreign(exportTo.map(({ text }) => text));
  if (left.length === 0) return { isForOthers: false };
  return {
    isForOthers: true,
    because: `exportTo names ${listed(left.map(excerpt), shown)}, so proxies of other tenants read this`,
    fix,
  };
}

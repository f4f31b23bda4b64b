/**
 * What lint, audit, diff and replay report about, as kubectl says it: `-n`, `-A` and `-l`. Everything is read and judged whatever the scope
 * is, as what is elsewhere decides too. Only what is printed follows it, and with that how the command ends.
 */
import { printable } from '../admission/message.ts';
import type { ReportScope } from '../connectivity/report-scope.ts';
import { refText, type Snapshot } from '../connectivity/snapshot.ts';
import type { JsonMap } from '../kubernetes/json.ts';
import { isMap, valueAt } from '../kubernetes/json.ts';
import type { StringMap } from '../kubernetes/objects.ts';
import { type LabelTest, parseSelectorText } from '../kubernetes/selector-text.ts';
import type { ScopeText } from '../report/scope-text.ts';
import { CannotStart } from './cannot-start.ts';
import { Misuse } from './misuse.ts';
import { flag, type Option } from './options.ts';

interface LabelSelection {
  readonly text: string;
  readonly test: LabelTest;
}

const selectorOption: Option<LabelSelection | undefined> = {
  value: 'SELECTOR',
  help: 'report about what these labels select alone, such as app=web,tier!=back',
  default: 'everything',
  read(texts, flag) {
    const text = texts.at(-1)?.trim() ?? '';
    if (text === '') return undefined;
    const parsed = parseSelectorText(text);
    if (!parsed.ok) throw new Misuse(`${flag} is no label selector: ${parsed.reason}`);
    return { text, test: parsed.value };
  },
};

/** @param without where objects without a namespace are, without the option */
export const namespaceOption = (help: string, without: string): Option<string | undefined> & { short: string } => ({
  value: 'NAME',
  short: 'n',
  help,
  default: without,
  read(texts, flag) {
    if (texts.at(-1) === '') throw new Misuse(`${flag} needs a NAME that is not empty`);
    return texts.at(-1);
  },
});

/** @param without what becomes of objects without a namespace, without the option */
export const scopeOptions = (without: string) => ({
  namespace: namespaceOption(
    'report about this namespace alone, and take objects without a namespace as in it',
    `all namespaces; ${without}`,
  ),
  'all-namespaces': { ...flag('report about all namespaces, also with -n'), short: 'A' },
  selector: { ...selectorOption, short: 'l' },
});

export interface ScopeValues {
  readonly namespace: string | undefined;
  readonly 'all-namespaces': boolean;
  readonly selector: LabelSelection | undefined;
}

export interface Scope extends ReportScope {
  readonly text: ScopeText;
  /**
   * Whether an object of a file is reported, by its own labels. An object without a namespace is in each namespace that `-n` names, as kubectl
   * would apply it.
   */
  hasWritten(namespace: string, labels: StringMap): boolean;
  /** Adds objects with their labels, by which {@link hasObject} knows them. */
  know(objects: Iterable<JsonMap>): void;
  /** The same for what a snapshot has, of which the labels are those of the pods. */
  knowSnapshot(snapshot: Snapshot): void;
  /**
   * A scope without anything in it is a mistake: an answer about nothing would look like a good one.
   *
   * @param problems what could not be read, as it may be why
   * @throws CannotStart
   */
  require(problems: readonly string[]): void;
}

/** Undefined: everything is reported. As for kubectl, -A wins over -n. */
export function scopeOf({ namespace, 'all-namespaces': all, selector }: ScopeValues): Scope | undefined {
  const only = all ? undefined : namespace;
  if (only === undefined && selector === undefined) return undefined;
  const labelsOf = new Map<string, StringMap>();
  const known = new Set<string>();
  let isAny = false;
  const hasNamespace = (name: string): boolean => only === undefined || name === only;
  const has: Scope['has'] = (name, labels) => {
    const found = hasNamespace(name) && (selector === undefined || selector.test(labels));
    isAny ||= found;
    return found;
  };
  return {
    has,
    hasNamespace,
    hasWritten(namespace, labels) {
      known.add(namespace);
      return has(namespace === '' ? (only ?? '') : namespace, labels);
    },
    isByLabels: selector !== undefined,
    hasObject(object) {
      const [kind = '', name = ''] = object.split(' ');
      const slash = name.indexOf('/');
      const place = kind === 'Namespace' ? name : name.slice(0, Math.max(0, slash));
      return has(place, labelsOf.get(object));
    },
    text: {
      ...(only !== undefined && { namespace: only }),
      ...(selector !== undefined && { selector: selector.text }),
    },
    know(objects) {
      for (const object of objects) {
        const [space, name] = [valueAt(object, 'metadata', 'namespace'), valueAt(object, 'metadata', 'name')];
        const ref = {
          kind: String(object.kind),
          namespace: typeof space === 'string' ? space : '',
          name: String(name),
        };
        known.add(ref.kind === 'Namespace' ? ref.name : ref.namespace);
        if (selector !== undefined && ref.kind !== 'Pod') labelsOf.set(refText(ref), labelsIn(object));
      }
    },
    knowSnapshot({ namespaces, workloads, services, policies, mesh = [] }) {
      for (const { name } of namespaces) known.add(name);
      if (selector === undefined) return;
      for (const one of workloads) {
        labelsOf.set(refText(one), one.labels);
        has(one.namespace, one.labels);
      }
      const refs = [...policies, ...mesh].map(({ ref }) => ref);
      for (const one of [...services.map((service) => ({ kind: 'Service', ...service })), ...refs])
        has(one.namespace, labelsOf.get(refText(one)));
    },
    require(problems) {
      const fail = (why: string): never => {
        throw new CannotStart([why, ...problems].join('\n'), 2);
      };
      if (only !== undefined && !known.has(only))
        fail(`there is no namespace ${printable(only)} in what was read: correct -n, or report about all with -A`);
      if (selector === undefined || isAny) return;
      const where = only === undefined ? 'nothing that was read' : `nothing in namespace ${printable(only)}`;
      fail(`${where} has labels that ${printable(selector.text)} selects: correct -l`);
    },
  };
}

/** Of an object of a file or of a list. */
export function labelsIn(object: Readonly<Record<string, unknown>>): StringMap {
  const labels = valueAt(object, 'metadata', 'labels');
  return isMap(labels) ? (labels as StringMap) : {};
}

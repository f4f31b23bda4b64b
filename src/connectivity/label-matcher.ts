/** Pods by their labels. A pod is compared on demand, so that no list has to follow the cluster. */
import { matches, type Selector } from '../kubernetes/label-selector.ts';
import { type Expression, isMatched } from '../reach/expression/expression.ts';
import { nameKey, ofNamespace } from '../reach/model.ts';
import type { Matcher } from './matcher.ts';
import type { Parties, Party, PodClass } from './parties.ts';

/** Of one namespace, by its name. */
export class OwnSelected implements Matcher {
  readonly isEverybody = false;
  readonly #parties: Parties;
  readonly #namespace: string;
  readonly #pods: Selector;

  constructor(parties: Parties, namespace: string, pods: Selector) {
    this.#parties = parties;
    this.#namespace = namespace;
    this.#pods = pods;
  }

  get isEveryPod(): boolean {
    const own = this.#parties.byName.get(this.#namespace)?.classes.length ?? 0;
    return own === this.#parties.classes.length && this.classes().length === own;
  }

  has(party: Party): boolean {
    if (party.kind !== 'pod') return party.kind === 'unnamed' && this.isEveryPod;
    return party.namespace.name === this.#namespace && (this.#pods.size === 0 || matches(this.#pods, party.labels));
  }

  classes(): readonly PodClass[] {
    const all = this.#parties.byName.get(this.#namespace)?.classes ?? [];
    return this.#pods.size === 0 ? all : all.filter(({ labels }) => matches(this.#pods, labels));
  }
}

/** Keeps its list until the parties change. */
abstract class Listed implements Matcher {
  readonly isEverybody = false;
  protected readonly parties: Parties;
  #version = -1;
  #classes: readonly PodClass[] = [];

  constructor(parties: Parties) {
    this.parties = parties;
  }

  get isEveryPod(): boolean {
    return this.classes().length === this.parties.classes.length;
  }

  has(party: Party): boolean {
    if (party.kind === 'pod') return this.hasPods(party);
    return party.kind === 'unnamed' && this.isEveryPod;
  }

  classes(): readonly PodClass[] {
    if (this.#version !== this.parties.version) {
      this.#classes = this.list();
      this.#version = this.parties.version;
    }
    return this.#classes;
  }

  protected abstract hasPods(pods: PodClass): boolean;
  protected abstract list(): readonly PodClass[];
}

export class Selected extends Listed {
  readonly #namespaces: Selector;
  readonly #pods: Selector;

  constructor(parties: Parties, namespaces: Selector, pods: Selector) {
    super(parties);
    this.#namespaces = namespaces;
    this.#pods = pods;
  }

  protected override hasPods({ namespace, labels }: PodClass): boolean {
    return matches(this.#namespaces, namespace.labels) && (this.#pods.size === 0 || matches(this.#pods, labels));
  }

  protected override list(): readonly PodClass[] {
    const found: PodClass[] = [];
    for (const { classes } of this.parties.selected(this.#namespaces))
      for (const one of classes) if (this.#pods.size === 0 || matches(this.#pods, one.labels)) found.push(one);
    return found;
  }
}

export class Matching extends Listed {
  readonly #expression: Expression;
  /** By the index of a class, until the parties change. */
  #known: (boolean | undefined)[] = [];
  #version = -1;

  constructor(parties: Parties, expression: Expression) {
    super(parties);
    this.#expression = expression;
  }

  protected override hasPods(pods: PodClass): boolean {
    if (this.#version !== this.parties.version) [this.#known, this.#version] = [[], this.parties.version];
    const known = this.#known[pods.index];
    if (known !== undefined) return known;
    const found = isMatched(this.#expression, expressionLabels(pods));
    this.#known[pods.index] = found;
    return found;
  }

  protected override list(): readonly PodClass[] {
    const { byName, classes } = this.parties;
    const names = namespacesIn(this.#expression);
    const candidates = names === undefined ? classes : [...names].flatMap((name) => byName.get(name)?.classes ?? []);
    return candidates.filter((one) => this.hasPods(one));
  }
}

/** Pods that two matchers have. */
export class Both extends Listed {
  readonly #one: Matcher;
  readonly #other: Matcher;

  constructor(parties: Parties, one: Matcher, other: Matcher) {
    super(parties);
    this.#one = one;
    this.#other = other;
  }

  protected override hasPods(pods: PodClass): boolean {
    return this.#one.has(pods) && this.#other.has(pods);
  }

  protected override list(): readonly PodClass[] {
    return this.#one.isEveryPod ? this.#other.classes() : this.#one.classes().filter((one) => this.#other.has(one));
  }
}

/** The names of which the namespace must have one, where the expression says so at its top. */
export function namespacesIn(expression: Expression): ReadonlySet<string> | undefined {
  if ('all' in expression) {
    for (const one of expression.all) {
      const names = namespacesIn(one);
      if (names !== undefined) return names;
    }
    return undefined;
  }
  if ('any' in expression || !expression.holds || expression.key !== nameKey) return undefined;
  return expression.test.op === 'in' ? expression.test.values : undefined;
}

/** A label of which a namespace must have one of the values; undefined: no such label is required. */
export function neededLabel(
  namespaces: Selector,
): { readonly key: string; readonly values: Iterable<string> } | undefined {
  for (const [key, { absent, finite, values }] of namespaces) if (!absent && finite) return { key, values };
  return undefined;
}

/** As expressions have them: labels of the namespace with their prefix. */
function expressionLabels({ labels, namespace }: PodClass): ReadonlyMap<string, string> {
  const all = new Map(labels);
  for (const [key, value] of namespace.labels) all.set(`${ofNamespace}${key}`, value);
  return all;
}

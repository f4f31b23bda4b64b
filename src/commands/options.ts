/** The options of a command as data: the name of the value, the help, the default, and how texts become a value. */
import { Misuse } from './misuse.ts';

export interface Option<Value> {
  /** The name of the value in the help, such as `DIR`; undefined: the option takes no value. */
  readonly value?: string;
  /** One letter for it, as in `-o`. */
  readonly short?: string;
  /** All that it may be, where these are few. */
  readonly choices?: readonly string[];
  /** Imperative: what the option makes the command do. */
  readonly help: string;
  /** The value, or the behaviour, without the option. */
  readonly default: string;
  /**
   * @param texts every value that was given, in order; one empty text for an option without a value
   * @param flag for messages, such as `--port`
   * @throws Misuse
   */
  read(texts: readonly string[], flag: string): Value;
}

/** By their flags, without the dashes. */
export type Options = Readonly<Record<string, Option<unknown>>>;

/** What `run` is given: a value for each option. */
export type Values<Declared extends Options> = {
  readonly [Flag in keyof Declared]: ReturnType<Declared[Flag]['read']>;
};

/** What the help says: the value is the one beside the code, so that the two cannot differ. */
export const helpOf = ({ help, default: without }: Option<unknown>): string => `${help} (default: ${without})`;

/** On or off. */
export function flag(help: string): Option<boolean> {
  return { help, default: 'off', read: (texts) => texts.length > 0 };
}

/** The last value that is given counts; undefined without any. */
function last<Value>(
  value: string,
  help: string,
  without: string,
  read: (text: string | undefined, flag: string) => Value,
): Option<Value> {
  return { value, help, default: without, read: (texts, flag) => read(texts.at(-1), flag) };
}

/** @param without what happens without the option */
export function optionalText(value: string, help: string, without: string): Option<string | undefined> {
  return last(value, help, without, (text) => text);
}

export function text(value: string, help: string, initial: string): Option<string> {
  return last(value, help, initial, (text = initial) => text);
}

/** May be given again; empty values are refused. */
export function texts(value: string, help: string, without: string): Option<readonly string[]> {
  return {
    value,
    help,
    default: without,
    read(given, flag) {
      if (given.includes('')) throw new Misuse(`${flag} needs a ${value} that is not empty`);
      return given;
    },
  };
}

/** 0 is any free port. */
export function port(help: string, initial: number): Option<number> {
  return last('PORT', help, String(initial), (given = String(initial), flag) => {
    if (!/^\d{1,5}$/.test(given) || Number(given) > 65535)
      throw new Misuse(`${flag} is a port from 0 to 65535, not ${given}`);
    return Number(given);
  });
}

export function oneOf<Choice extends string>(
  value: string,
  choices: readonly Choice[],
  help: string,
  initial: Choice,
): Option<Choice> {
  const option = last(value, `${help}: ${choices.join(', ')}`, initial, (given = initial, flag) => {
    const known = choices.find((choice) => choice === given);
    if (known === undefined) throw new Misuse(`${flag} is one of ${choices.join(', ')}, not ${given}`);
    return known;
  });
  return { ...option, choices };
}

export interface NamespacedName {
  readonly namespace: string;
  readonly name: string;
}

export function namespacedName(help: string, initial: string): Option<NamespacedName> {
  return last('NAMESPACE/NAME', help, initial, (given = initial, flag) => parseNamespacedName(given, flag));
}

export function optionalNamespacedName(help: string, without: string): Option<NamespacedName | undefined> {
  return last('NAMESPACE/NAME', help, without, (given, flag) =>
    given === undefined ? undefined : parseNamespacedName(given, flag),
  );
}

function parseNamespacedName(given: string, flag: string): NamespacedName {
  const [, namespace, name] = /^([a-z0-9-]+)\/([a-z0-9.-]+)$/.exec(given) ?? [];
  if (namespace === undefined || name === undefined) throw new Misuse(`${flag} is NAMESPACE/NAME, not ${given}`);
  return { namespace, name };
}

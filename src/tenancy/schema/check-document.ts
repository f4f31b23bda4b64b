/** Whether a document has the shape of its schema, with problems in words for its author. */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { excerpt, isMap } from '../../kubernetes/json.ts';
import { entry } from '../../kubernetes/objects.ts';
import { inReadingOrder, type Loaded, type Located, type Problem, problemAt, type Step } from '../problem.ts';
import { suggestion } from '../suggestion.ts';
import { fitsPattern } from './fits-pattern.ts';
import { type ClosedSchema, closedObject, type StructuralSchema } from './structural-schema.ts';

/** Gives the document back with its type, or everything that is wrong with its shape. */
export type CheckDocument<Value> = (document: Located<unknown>) => Loaded<Located<Value>>;

// verbose: errors carry the value and the schema, which the texts are made of. ownProperties: a field named `constructor` is no
// gift of Object.prototype. A replica starts sooner without optimize, and without the schema of schemas, by which a test checks them.
const ajv = new Ajv({
  ...{ allErrors: true, strict: true, verbose: true, ownProperties: true },
  ...{ code: { optimize: false }, meta: false, validateSchema: false },
});
ajv.addKeyword({
  keyword: 'x-kubernetes-int-or-string',
  schemaType: 'boolean',
  validate: (_: true, value: unknown) => typeof value === 'string' || Number.isInteger(value),
});

/** Compiles the schema with the first document; that costs milliseconds. */
export function checkDocumentBy<Value>(schema: StructuralSchema): CheckDocument<Value> {
  let validate: ValidateFunction<Value> | undefined;
  return (document) => {
    const { value, locate } = document;
    const unknown = unknownFieldOf(schema, document);
    if (unknown !== undefined) return { ok: false, problems: [unknown] };
    validate ??= ajv.compile<Value>(closedObject(schema));
    if (validate(value)) return { ok: true, value: { value, locate }, warnings: [] };
    const problems = new Map<string, Problem>();
    for (const error of validate.errors ?? []) {
      // What is no text at all is not one of these words either; once is enough.
      if (error.keyword === 'enum' && typeof error.data !== 'string') continue;
      const problem = problemOf(error, document);
      // A name that is too long and has the wrong letters is one problem.
      problems.set(`${problem.path} ${problem.reason}`, problem);
    }
    return { ok: false, problems: inReadingOrder([...problems.values()]) };
  };
}

/** For a document of another kind, this one problem replaces all fields in which it differs. */
function unknownFieldOf({ properties }: StructuralSchema, { value, locate }: Located<unknown>): Problem | undefined {
  if (!isMap(value))
    return problemAt(locate, [], `${excerpt(value)} is not a document with apiVersion, kind and spec`, '');
  for (const name of ['apiVersion', 'kind']) {
    const [wanted] = properties?.[name]?.enum ?? [];
    const written = entry(value, name);
    if (wanted === undefined || written === wanted) continue;
    if (written === undefined) return missing(name, [name], { enum: [wanted] }, value, locate);
    return problemAt(locate, [name], `is ${excerpt(written)} where ${wanted} is needed`, `write ${name}: ${wanted}`);
  }
  return undefined;
}

function problemOf(error: ErrorObject, { value, locate }: Located<unknown>): Problem {
  const steps = stepsOf(error.instancePath, value);
  // The schema that failed is a part of one that was compiled here.
  const schema = (error.parentSchema ?? {}) as ClosedSchema;
  const params: Readonly<Record<string, unknown>> = error.params;
  switch (error.keyword) {
    case 'additionalProperties': {
      const name = String(params.additionalProperty);
      const known = Object.keys(schema.properties ?? {});
      const meant = suggestion(name, known);
      const fix = meant === undefined ? `the fields here are ${known.join(', ')}` : `did you mean ${meant}?`;
      return problemAt(locate, [...steps, name], 'is not a known field', fix, 'key');
    }
    case 'required': {
      const name = String(params.missingProperty);
      return missing(name, [...steps, name], schema.properties?.[name], error.data, locate);
    }
    case 'enum': {
      const allowed = schema.enum ?? [];
      const meant = suggestion(String(error.data), allowed);
      const fix = meant === undefined ? '' : `did you mean ${meant}?`;
      return problemAt(locate, steps, `${excerpt(error.data)} is not one of ${allowed.join(', ')}`, fix);
    }
    case 'type':
    case 'x-kubernetes-int-or-string':
      return problemAt(locate, steps, ...wrongType(error.data, schema));
    case 'minimum':
    case 'maximum':
      return problemAt(locate, steps, `${excerpt(error.data)} is not a number ${rangeOf(schema)}`, '');
    case 'minItems':
      return problemAt(locate, steps, 'lists nothing', 'list at least one');
    case 'maxItems':
    case 'maxProperties':
      return problemAt(locate, steps, `holds more than ${schema.maxItems ?? schema.maxProperties}`, 'keep fewer');
    default: {
      const text = String(error.data);
      return problemAt(
        locate,
        steps,
        `${excerpt(text)} is not ${schema.title ?? error.message}`,
        repaired(text, schema),
      );
    }
  }
}

function missing(
  name: string,
  steps: readonly Step[],
  schema: ClosedSchema | undefined,
  parent: unknown,
  locate: Located<unknown>['locate'],
): Problem {
  const near = isMap(parent) ? suggestion(name, Object.keys(parent)) : undefined;
  if (near !== undefined) return problemAt(locate, steps, 'is missing', `is ${excerpt(near)} a slip of the pen?`);
  const [only, ...others] = schema?.enum ?? [];
  if (only === undefined)
    return problemAt(locate, steps, 'is missing', schema?.title === undefined ? '' : `give ${schema.title}`);
  return problemAt(locate, steps, 'is missing', `write ${name}: ${[only, ...others].join(' or ')}`);
}

const belonging = {
  object: 'a map',
  array: 'a list',
  string: 'text',
  integer: 'a whole number',
  boolean: 'true or false',
} as const;

function wrongType(value: unknown, schema: ClosedSchema): [reason: string, fix: string] {
  const wanted = schema.type === undefined ? 'text or a whole number' : belonging[schema.type];
  if (value === null) return ['is empty', `give ${wanted}, or leave the field out`];
  const reason = `${excerpt(value)} is not ${wanted}`;
  if (schema.type === 'integer' && typeof value === 'string' && /^\d{1,15}$/.test(value)) {
    return [reason, `write ${Number(value)} without quotes`];
  }
  if (
    schema.type !== 'object' &&
    schema.type !== 'array' &&
    schema.type !== 'boolean' &&
    (typeof value === 'number' || typeof value === 'boolean')
  ) {
    return [reason, schema.type === 'integer' ? '' : `write "${value}" in quotes`];
  }
  return [reason, schema.type === 'array' && typeof value === 'string' ? `write [${excerpt(value)}]` : ''];
}

function rangeOf({ minimum, maximum }: ClosedSchema): string {
  return maximum === undefined ? `from ${minimum} upwards` : `from ${minimum} to ${maximum}`;
}

/** The first small change that makes the text fit: trimmed, in lower case, with a hyphen at its end. */
function repaired(text: string, schema: ClosedSchema): string {
  const plain = text.trim().toLowerCase();
  const fitting = [plain, `${plain}-`].find((candidate) => fitsPattern(candidate, schema));
  return fitting === undefined ? '' : `write ${fitting}`;
}

/** JSON Pointer (RFC 6901) to steps; which steps are indexes, only the value tells. */
function stepsOf(pointer: string, root: unknown): Step[] {
  const steps: Step[] = [];
  let at = root;
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    steps.push(Array.isArray(at) ? Number(name) : name);
    at = Array.isArray(at) ? at[Number(name)] : isMap(at) ? entry(at, name) : undefined;
  }
  return steps;
}

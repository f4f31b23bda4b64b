/**
 * SRV-10: no regular expression of src takes longer than in proportion to its text, and none is made of what others write.
 *
 * redos-detector counts in how many ways at most an expression can read one text. When that number has a bound, the engine goes over a
 * text a bounded number of times, however long it is. An expression that may begin anywhere begins with skipping anything.
 */
import { globSync, readFileSync } from 'node:fs';
import { type IsSafePatternConfig, isSafePattern } from 'redos-detector';
import t from 'tap';
import typescript from 'typescript';

/** In so many ways an expression may read one text. Those of src need 4; each way beyond is work that could be spared. */
const mostWays = 4;

/** Makes expressions of patterns, which must stand in the source. */
const maker = 'src/tenancy/schema/fits-pattern.ts';

interface Expression {
  readonly place: string;
  readonly pattern: string;
  readonly flags: string;
}

const files = globSync('src/**/*.ts').sort();
const expressions: Expression[] = [];
/** What makes an expression of something that is no literal. */
const made: string[] = [];

for (const file of files) {
  const source = typescript.createSourceFile(file, readFileSync(file, 'utf8'), typescript.ScriptTarget.Latest, true);
  const look = (node: typescript.Node): void => {
    const { line } = source.getLineAndCharacterOfPosition(node.getStart());
    const place = `${file}:${line + 1}`;
    if (typescript.isRegularExpressionLiteral(node)) {
      const end = node.text.lastIndexOf('/');
      expressions.push({ place, pattern: node.text.slice(1, end), flags: node.text.slice(end + 1) });
    } else if (typescript.isPropertyAssignment(node) && node.name.getText() === 'pattern') {
      if (typescript.isStringLiteral(node.initializer)) {
        expressions.push({ place, pattern: node.initializer.text, flags: 'u' });
      } else made.push(`${place} ${node.getText()}`);
    } else if (
      typescript.isIdentifier(node) &&
      node.text === 'RegExp' &&
      !typescript.isTypeReferenceNode(node.parent)
    ) {
      made.push(`${file} ${node.parent.getText()}`);
    } else if (typescript.isCallExpression(node) && typescript.isPropertyAccessExpression(node.expression)) {
      // These make an expression of a string.
      const takesText = ['match', 'matchAll', 'search'].includes(node.expression.name.text);
      const [argument] = node.arguments;
      if (takesText && argument !== undefined && !typescript.isRegularExpressionLiteral(argument)) {
        made.push(`${place} ${node.getText()}`);
      }
    }
    typescript.forEachChild(node, look);
  };
  look(source);
}

/** In how many ways it may read one text; undefined: without bound, or too many to count. */
function waysOf({ pattern, flags }: Omit<Expression, 'place'>): number | undefined {
  const options = {
    unicode: flags.includes('u'),
    dotAll: flags.includes('s'),
    multiLine: flags.includes('m'),
    caseInsensitive: flags.includes('i'),
    // What it does not understand, it may not replace by something else.
    downgradePattern: false,
    maxScore: mostWays * 4,
    maxSteps: 20_000,
    timeout: 10_000,
  };
  const { error, score } = isSafePattern(beginsAnywhere(pattern, options) ? `^[^]*?(?:${pattern})` : pattern, options);
  return error !== null || score.infinite ? undefined : score.value;
}

/** The library refuses what may begin anywhere, rather than count only what it does from its first place on. */
function beginsAnywhere(pattern: string, options: IsSafePatternConfig): boolean {
  try {
    isSafePattern(pattern, { ...options, maxSteps: 1 });
    return false;
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('Pattern is not bounded at the start')) return true;
    throw error;
  }
}

t.test('every expression of src reads a text in a few ways only', async (t) => {
  t.ok(expressions.length > 30, `${expressions.length} expressions were found`);
  for (const expression of expressions) {
    const { place, pattern, flags } = expression;
    t.match(flags, /^[dgimsu]*$/, `${place}: flags that are understood here`);
    const ways = waysOf(expression);
    t.ok(ways !== undefined && ways <= mostWays, `${place}: /${pattern}/ reads a text in ${ways ?? 'too many'} ways`);
  }
});

t.test('TEN-07: no expression is made of what others write', async (t) => {
  t.strictSame(made, [`${maker} new RegExp(pattern, 'u')`]);
});

t.test('expressions that are known to be slow would be found', async (t) => {
  const slow = [
    ['^(a+)+$', 'exponential'],
    ['^a*a*$', 'quadratic'],
    ['\\s+$', 'quadratic, as it begins at every blank'],
    ['a*b', 'quadratic, as it begins at every a'],
    ['^([+-]?)(\\d*)\\.?(\\d*)k$', 'quadratic, as both lists of digits meet where no point is'],
  ];
  for (const [pattern = '', why = ''] of slow) t.equal(waysOf({ pattern, flags: '' }), undefined, `${pattern}: ${why}`);
});

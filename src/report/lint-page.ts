/**
 * `bulkhead lint -o html`: one page for people who read no terminal. It has no script, loads nothing, and its policy allows its own style
 * alone. Every text of a file is escaped.
 */
import { type LintFinding, type LintReport, severities, whereOf } from './lint-report.ts';

const style = `:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{max-width:70rem;margin:2rem auto;padding:0 1rem}
article{border-left:.3rem solid;padding:0 1rem;margin:1.5rem 0;break-inside:avoid;overflow-wrap:anywhere}
.error{border-color:#c62828}.warning{border-color:#b26a00}.hint{border-color:#5c6bc0}
h3{font-size:1.1rem;margin:0}p{margin:.3rem 0}
code{font-family:ui-monospace,monospace}`;

const inFiles = 'Findings in files';
const titles = { error: 'Errors', warning: 'Warnings', hint: 'Hints' } as const;

/** @param sha256 of a text in UTF-8, as base64 */
export function lintPage(report: LintReport, sha256: (text: string) => string, title = inFiles): string {
  const { findings, objects, files, skipped, version } = report;
  const policy = `default-src 'none'; style-src 'sha256-${sha256(style)}'; base-uri 'none'; form-action 'none'`;
  const counts = severities.map(
    (severity) => `${findings.filter((one) => one.severity === severity).length} ${titles[severity].toLowerCase()}`,
  );
  const left = skipped.otherKinds + skipped.notObjects + skipped.ofPlatform;
  const judged =
    title === inFiles
      ? ` in ${objects.length} objects of ${files} files. ${left} objects and documents were not judged`
      : '';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Bulkhead: ${title.toLowerCase()}</title>
<style>${style}</style>
</head>
<body>
<h1>${title}</h1>
<p>${counts.join(', ')}${judged}. Bulkhead ${escaped(version)}.</p>
${severities.map((severity) => section(severity, findings)).join('')}</body>
</html>`;
}

function section(severity: LintFinding['severity'], findings: readonly LintFinding[]): string {
  const own = findings.filter((one) => one.severity === severity);
  return own.length === 0 ? '' : `<section>\n<h2>${titles[severity]}</h2>\n${own.map(article).join('')}</section>\n`;
}

function article(finding: LintFinding): string {
  const { severity, check, object, headline, path, reason, witness, fix, docs, known } = finding;
  const why = witness === '' ? reason : `${reason}; for example ${witness}`;
  return `<article class="${severity}">
<h3>${escaped(object === '' ? finding.file : object)}: ${escaped(headline)}${known ? ' (in the baseline)' : ''}</h3>
<p><code>${escaped(whereOf(finding))}</code> <code>${escaped(path)}</code></p>
<p>${escaped(why)}</p>
<p><strong>Fix:</strong> ${escaped(fix)}</p>
<p>${escaped(check)}, ${escaped(docs)}</p>
</article>
`;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '');
}

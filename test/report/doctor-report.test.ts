import t from 'tap';
import { type DoctorReport, doctorDocument, doctorLines, isIll } from '../../src/report/doctor-report.ts';

t.test('the report as text and JSON', async (t) => {
  const empty: DoctorReport = { findings: [], notListed: [], notLookedAt: [], page: 'docs/how-to/doctor.md' };
  t.equal(isIll(empty), false);
  t.same(doctorLines(empty), ['Nothing found.']);
  const note = { id: 'some-note', severity: 'note', where: 'here', why: 'it is', fix: 'nothing' } as const;
  t.equal(isIll({ ...empty, findings: [note] }), false, 'a note is no finding');
  const attack = { id: 'NP-01', attack: 'a policy', answer: '403 no' } as const;
  const test = { as: 'alice', groups: ['team'], namespace: 'acme-web', tenant: 'acme' };
  const full: DoctorReport = {
    ...empty,
    findings: [{ ...note, severity: 'error' }, note],
    notListed: [{ id: 'some-note', count: 3 }],
    notLookedAt: [{ what: 'rights', why: '403' }],
    selfTest: {
      ...test,
      attacks: [
        { ...attack, outcome: 'refused' },
        { ...attack, outcome: 'untried' },
      ],
    },
  };
  t.same(doctorLines(full), [
    'error some-note: here',
    '  it is',
    '  fix: nothing',
    '',
    'note some-note: here',
    '  it is',
    '  fix: nothing',
    '',
    'some-note: 3 more that are not listed',
    '',
    'not looked at: rights: 403',
    '  fix: bind the ClusterRole bulkhead-doctor to your account (manifests/components/roles/doctor.yaml)',
    '',
    'Self-test as alice, group team in namespace acme-web of tenant acme; every request was a dry run:',
    '  NP-01  refused by Bulkhead: a policy',
    '    403 no',
    '  NP-01  not tried: a policy',
    '    403 no',
    '1 of 2 attacks were refused by Bulkhead.',
    '',
    '1 error, 1 note, and more that are not listed; 1 part not looked at; 1 attack not refused. What each id means: docs/how-to/doctor.md',
  ]);
  const admitted = { ...empty, selfTest: { ...test, attacks: [{ ...attack, outcome: 'admitted' as const }] } };
  t.equal(
    doctorLines(admitted).at(-1),
    'Nothing found; 1 attack not refused.',
    'the last line never says that all is well',
  );
  t.match(JSON.parse(doctorDocument(full)), {
    apiVersion: 'bulkhead.dev/v1alpha1',
    kind: 'DoctorReport',
    hasFindings: true,
  });
  t.equal(isIll({ ...empty, selfTest: { ...test, attacks: [{ ...attack, outcome: 'untried' }] } }), true);
});

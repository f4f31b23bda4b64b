/** Certificates from files: trusted before they are served, and for a while after. */
import t from 'tap';
import { issueAuthority, issueServerCertificate } from '../../src/certificates/issue-certificate.ts';
import type { CertificateTools } from '../../src/configuration/certificates.ts';
import { keepFileCertificates, type VouchedPair } from '../../src/configuration/file-certificates.ts';
import { until } from '../client/fake-clock.ts';
import { now, ours, register, registered, stage } from './certificates.ts';

function vouched(): VouchedPair {
  const authority = issueAuthority(now);
  const pair = issueServerCertificate(authority, ['bulkhead.bulkhead-system.svc'], now);
  return { pair, authority: authority.certificate, authorities: [authority.certificate] };
}
const keep = (first: VouchedPair) => (tools: CertificateTools) =>
  keepFileCertificates(tools, first, { propagationDelay: 3_000, retention: 20_000, tick: 1_000 });

t.test('files that change are served when API servers have learned of them', async (t) => {
  const at = await stage(t);
  register(at.server, undefined, ours);
  const [old, next] = [vouched(), vouched()];
  const replica = at.start(keep(old));
  await until('it is registered', () => registered(at.server).every(({ path }) => path !== undefined));
  t.strictSame(registered(at.server), [
    { authorities: old.authorities, path: '/mutate', failurePolicy: 'Ignore' },
    { authorities: old.authorities, path: '/validate', failurePolicy: 'Ignore' },
  ]);
  replica.certificates.offer(next);
  await until('both are trusted', () => registered(at.server).every(({ authorities }) => authorities.length === 2));
  await at.pass(2_000);
  t.strictSame(replica.served, [old.pair], 'the old one is served on');
  await at.pass(4_000);
  t.strictSame(replica.served, [old.pair, next.pair]);
  t.ok(
    registered(at.server).every(({ authorities }) => authorities.includes(old.authority ?? '')),
    'others may have it',
  );
  await at.pass(25_000);
  t.ok(
    registered(at.server).every(({ authorities }) => authorities.join() === next.authority),
    'dropped in the end',
  );
});

t.test('what another replica has written stays, what a person has written does not', async (t) => {
  for (const [who, more, count] of [
    ['another replica', ours, 2],
    ['a person', {}, 1],
  ] as const) {
    const at = await stage(t);
    const [mine, foreign] = [vouched(), vouched()];
    register(at.server, foreign.authority, more);
    const replica = at.start(keep(mine));
    await until('it is registered', () =>
      registered(at.server).every(({ authorities }) => authorities.includes(mine.authority ?? '')),
    );
    t.ok(
      registered(at.server).every(({ authorities }) => authorities.length === count),
      who,
    );
    await replica.stop();
  }
});

t.test('without an authority in the files only the path is written', async (t) => {
  const at = await stage(t);
  const [mine, foreign] = [vouched(), vouched()];
  register(at.server, foreign.authority);
  const replica = at.start(keep({ pair: mine.pair, authority: undefined, authorities: undefined }));
  await until('the path is written', () => registered(at.server).every(({ path }) => path !== undefined));
  t.ok(registered(at.server).every(({ authorities }) => authorities.join() === foreign.authority));
  t.equal(replica.certificates.ready(), undefined);
});

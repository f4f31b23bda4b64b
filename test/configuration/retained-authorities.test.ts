/** How long an authority stays in a registration that nothing here names any more. */
import t from 'tap';
import { createRetainedAuthorities } from '../../src/configuration/retained-authorities.ts';
import { fakeClock } from '../client/fake-clock.ts';

const [retention, overlap] = [1_000, 100];
const pair = (certificate: string) => ({ certificate, key: '' });

function following() {
  const clock = fakeClock();
  const authorities = createRetainedAuthorities(clock, retention);
  return {
    clock,
    authorities,
    /** What the Secret says. */
    learned: (authority: string, ...previous: string[]) =>
      authorities.learned({ authority: pair(authority), next: undefined, previous }, overlap),
    /** Whether it is still to be named, where it is named beside one of ours. */
    stays: (authority: string) => authorities.with(['ours'], ['ours', authority]).includes(authority),
  };
}

t.test('one of others stays for its time, which begins anew when it comes anew', async (t) => {
  const { clock, authorities, stays } = following();
  t.ok(stays('of others'));
  clock.advance(retention - 1);
  t.ok(stays('of others'));
  clock.advance(1);
  t.notOk(stays('of others'));
  authorities.named(['ours']);
  t.ok(stays('of others'));
});

t.test('one on its way out stays for an overlap from when that was seen, whatever the Secret says then', async (t) => {
  const { clock, learned, stays } = following();
  learned('ours', 'leaving');
  clock.advance(overlap / 2);
  learned('older');
  t.ok(stays('leaving'), 'a replica may serve by it');
  clock.advance(overlap / 2);
  t.notOk(stays('leaving'), 'and no longer');
});

t.test('one that comes back from its way out begins anew', async (t) => {
  const { clock, learned, stays } = following();
  learned('ours', 'leaving');
  clock.advance(overlap);
  learned('leaving');
  learned('ours', 'leaving');
  learned('ours');
  t.ok(stays('leaving'));
});

t.test('registrations that are deleted and applied again do not make it one of others', async (t) => {
  const { clock, authorities, learned, stays } = following();
  learned('ours', 'leaving');
  authorities.named([]);
  clock.advance(overlap);
  learned('ours');
  t.notOk(stays('leaving'));
  authorities.named([]);
  t.ok(stays('leaving'), 'but once it was gone it is one of others');
});

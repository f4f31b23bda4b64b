/** Tries known attacks as a member of a tenant, as dry runs, and expects Bulkhead to refuse each. */
import { printable } from '../admission/message.ts';
import { catalogue } from '../checks/catalogue.ts';
import type { Answer, Impersonation } from '../client/connection.ts';
import { describe } from '../client/failure.ts';
import type { RequestingReader } from '../facts/cluster-reader.ts';
import { namespaceRecord, namespacesPath } from '../facts/namespaces.ts';
import { serviceAccountOf } from '../kubernetes/user.ts';
import type { SelfTest, TriedAttack } from '../report/doctor-report.ts';
import type { Owner, Tenancy } from '../tenancy/tenancy.ts';
import { type Attack, attacksOn } from './attacks.ts';

/** The self-test cannot be made so: what to give instead. */
export class WrongPerson extends Error {}

const headlines = new Map(catalogue.map(({ id, headline }) => [id, headline]));

/** @throws WrongPerson when the user or the namespace does not suit the self-test, Unreadable */
export async function selfTest(
  reader: RequestingReader,
  tenancy: Tenancy,
  as: Impersonation,
  namespace: string,
): Promise<SelfTest> {
  const home = serviceAccountOf({ username: as.user, groups: as.groups })?.namespace;
  const owners = new Map<string, Owner>();
  await reader.each(namespacesPath, (object) => {
    const { name, labels } = namespaceRecord(object);
    if (name === namespace || name === home) owners.set(name, tenancy.ownerByLabels(labels));
  });
  const owner = owners.get(namespace);
  if (owner === undefined) throw new WrongPerson(`there is no namespace ${namespace}: name one of a tenant`);
  if (owner === 'platform') throw new WrongPerson(`namespace ${namespace} belongs to no tenant: name one of a tenant`);
  const requester = tenancy.requester(
    { username: as.user, groups: as.groups },
    home === undefined ? undefined : owners.get(home),
  );
  if (requester.platform)
    throw new WrongPerson(`${as.user} is the platform, which may do more than tenants: name a member of ${owner.name}`);
  if (!requester.tenants.some(({ name }) => name === owner.name))
    throw new WrongPerson(
      `${as.user} is no member of tenant ${owner.name}, which owns ${namespace}: name one, with --as-group for each group that makes it one`,
    );
  const mode = owner.mode === 'enforce' ? '' : ` (tenant ${owner.name} is in mode ${owner.mode})`;
  const observes = tenancy.settings.enforcement === 'observe' ? ' (the settings say observe)' : '';
  const attacks: TriedAttack[] = [];
  for (const attack of attacksOn(namespace, tenancy.settings.tenantLabel)) {
    const answer = await reader.dryRun(as, attack.method, attack.path, attack.body);
    attacks.push(outcomeOf(attack, answer, `${observes}${mode}`));
  }
  const { user, groups } = as;
  return { as: printable(user), groups: groups.map(printable), namespace, tenant: owner.name, attacks };
}

/** How the API server passes on what the webhook says, and what the backstop says. */
const byWebhook = /^admission webhook "validate\.(?:filtered\.|network\.)?bulkhead\.dev" denied the request:/;
const byBackstop = "ValidatingAdmissionPolicy 'bulkhead-";

/** @param context what may explain that it is admitted */
export function outcomeOf({ id, attack, checks }: Attack, answer: Answer, context: string): TriedAttack {
  if (answer.ok) return { id, attack, outcome: 'admitted', answer: `the API server would admit it${context}` };
  const said = printable(describe(answer).split('\n', 1)[0] ?? '');
  const isDenied = answer.kind === 'refused' && (answer.status === 403 || answer.status === 422);
  const { message } = answer;
  if (isDenied && message.includes(byBackstop)) return { id, attack, outcome: 'refused', answer: said };
  if (!isDenied || !byWebhook.test(message))
    return { id, attack, outcome: 'untried', answer: `something else answered: ${said}` };
  // A request that is refused for another reason says nothing about this attack.
  const isRight = checks.some((check) => message.includes(headlines.get(check) ?? check));
  return isRight
    ? { id, attack, outcome: 'refused', answer: said }
    : { id, attack, outcome: 'untried', answer: `Bulkhead refused it for another reason: ${said}` };
}

/** What a schema cannot say of an Exemption and one object can. Everything here the parser refuses as well. */
import { imagePattern, noImage } from '../../src/exemptions/images.ts';
import { makerOf, ownerKinds } from '../../src/exemptions/pod-makers.ts';
import { type Rules, subjectRules, timeRules } from './tenant-rules.ts';

/** With the group, and without it. */
const ofKubernetes = JSON.stringify(
  ownerKinds.flatMap((kind) => [kind, ...(makerOf(kind)?.group ? [`${kind}.${makerOf(kind)?.group}`] : [])]),
);

export const exemptionRules: Rules = {
  'spec.match': [
    {
      rule: 'has(self.names) || has(self.owner) || has(self.serviceAccounts) || has(self.images) || has(self.requesters)',
      message:
        'matches every object of the namespace; give at least one of names, owner, serviceAccounts, images and requesters',
    },
    {
      rule: "!has(self.kinds) || 'Pod' in self.kinds || !(has(self.owner) || has(self.serviceAccounts) || has(self.images))",
      message: 'owner, serviceAccounts and images say something about pods; add Pod to kinds',
    },
    {
      rule: `!(has(self.owner) && has(self.requesters) && self.owner.split('/')[0] in ${ofKubernetes})`,
      message: 'owner and requesters cannot match together: the controller of the owner sends the request; keep one',
    },
    {
      rule: `!has(self.owner) || has(self.requesters) || self.owner.split('/')[0] in ${ofKubernetes} || !self.owner.split('/')[0].contains('.')`,
      message:
        'owner is of another API group, and every author of a pod can write such an owner; add requesters: the account of the controller that creates its pods',
    },
  ],
  'spec.match.owner': [
    {
      rule: `self.split('/')[0].contains('.') || self.split('/')[0] in ${ofKubernetes}`,
      message: `is no workload of Kubernetes that makes pods; write one of ${ownerKinds.join(', ')}, or KIND.GROUP/NAME`,
    },
  ],
  'spec.match.images[]': [{ rule: `self.matches('${imagePattern}')`, message: `${noImage.reason}; ${noImage.fix}` }],
  'spec.match.requesters[]': subjectRules,
  'spec.expires': timeRules,
};

/** What a schema cannot say of an Exemption and one object can. Everything here the parser refuses as well. */
import { ownerKinds } from '../../src/exemptions/pod-makers.ts';
import { type Rules, subjectRules, timeRules } from './tenant-rules.ts';

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
      rule: '!(has(self.owner) && has(self.requesters))',
      message: 'owner and requesters cannot match together: the controller of the owner sends the request; keep one',
    },
  ],
  'spec.match.owner': [
    {
      rule: `self.split('/')[0] in ['${ownerKinds.join("', '")}']`,
      message: `is no workload that makes pods; write one of ${ownerKinds.join(', ')}`,
    },
  ],
  'spec.match.requesters[]': subjectRules,
  'spec.expires': timeRules,
};

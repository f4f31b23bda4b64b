import { exemptionWriters as check } from '../checks/exemption-writers.ts';
import { exemption } from '../kinds/exemption.ts';
import { allOf, anyOf, literal, metadata, onlyRemoves, platform, unchanged } from './expressions.ts';
import { type Rule, requests } from './rule.ts';

/** Only the platform writes exemptions. The whole check. */
export const exemptionWriters: Rule = {
  check,
  kind: 'Exemption',
  on: [
    requests(exemption, ['CREATE', 'UPDATE', 'DELETE'], 'exemptions'),
    requests(exemption, ['UPDATE'], 'exemptions/status'),
  ],
  admits: () =>
    anyOf(
      platform,
      allOf(
        'request.operation == "UPDATE"',
        'oldObject.metadata.?deletionTimestamp.hasValue()',
        unchanged('labels', 'annotations', 'ownerReferences'),
        onlyRemoves(
          metadata('object', 'finalizers'),
          metadata('oldObject', 'finalizers'),
          `one in ${literal(['foregroundDeletion', 'orphan'])}`,
        ),
        'object.?spec == oldObject.?spec',
      ),
    ),
};

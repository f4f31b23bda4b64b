/** Whether the API server can verify Bulkhead, and for how long. */
import { X509Certificate } from 'node:crypto';
import type { DoctorCheck, Examination } from './check.ts';
import { objectName, type StoredConfiguration, storedConfigurations } from './own-configurations.ts';
import { servedCertificate } from './served-certificate.ts';

/** Milliseconds. What Bulkhead or cert-manager renews has more left. */
const soon = 7 * 24 * 60 * 60 * 1000;

export const certificates: DoctorCheck = {
  about: 'certificates',
  findings: {
    'certificate-authority-missing': {
      severity: 'error',
      meaning: 'the caBundle of a webhook holds no certificate, so the API server cannot verify Bulkhead',
      fix: 'let `bulkhead serve --webhook-configurations` or cert-manager write it (docs/certificates.md)',
    },
    'certificate-expired': {
      severity: 'error',
      meaning: 'the certificate that Bulkhead serves, or every one in a caBundle, has expired or is not valid yet',
      fix: 'renew it (docs/certificates.md)',
    },
    'certificate-expires-soon': {
      severity: 'warning',
      meaning: 'the certificate that Bulkhead serves, or the last one in a caBundle, expires within a week',
      fix: 'renew it, and find out why that did not happen by itself (docs/certificates.md)',
    },
    'certificate-not-verified': {
      severity: 'error',
      meaning: 'the certificate that Bulkhead serves cannot be verified with the caBundle',
      fix: 'let both come from one authority (docs/certificates.md)',
    },
    'certificate-not-seen': {
      severity: 'note',
      meaning: 'the webhook is called as a Service, whose certificate can be seen only from inside the cluster',
      fix: 'run doctor in a pod of the cluster, or watch the metric bulkhead_tls_certificate_expiry_seconds',
    },
  },
  async look(examination) {
    const stored = await storedConfigurations(examination);
    const looked = new Set<string>();
    for (const configuration of stored?.own.values() ?? []) {
      findAuthorities(configuration, examination);
      for (const { address, isService, caBundle, authorities } of configuration.own) {
        if (authorities.length === 0 || looked.has(`${address} ${caBundle}`)) continue;
        looked.add(`${address} ${caBundle}`);
        // The name of a Service has an address inside the cluster alone.
        if (!isService || examination.inCluster) await findServed(address, authorities, examination);
        else examination.found('certificate-not-seen', { where: address, why: 'doctor runs outside the cluster' });
      }
    }
  },
};

function findAuthorities({ name, own }: StoredConfiguration, { found, now }: Examination): void {
  for (const { name: webhook, authorities, isService, caBundle } of own) {
    const where = `${objectName(name)}, webhook ${webhook}, caBundle`;
    if (authorities.length === 0) {
      // A URL may be verified by the roots of the machine.
      if (isService || caBundle !== '')
        found('certificate-authority-missing', {
          where,
          why: caBundle === '' ? 'it is empty' : 'it holds no PEM certificate',
        });
      continue;
    }
    findExpiry(
      where,
      authorities.map((one) => new X509Certificate(one)),
      found,
      now,
    );
  }
}

async function findServed(address: string, authorities: readonly string[], examination: Examination): Promise<void> {
  const served = await servedCertificate(address, authorities);
  const where = `the certificate served at ${address}`;
  if (served.certificate === undefined) {
    examination.notLookedAt(where, served.why);
    return;
  }
  findExpiry(where, [served.certificate], examination.found, examination.now);
  const { validFromDate, validToDate } = served.certificate;
  const isValid = validFromDate.getTime() <= examination.now && examination.now < validToDate.getTime();
  if (isValid && served.why !== '') examination.found('certificate-not-verified', { where, why: served.why });
}

/** One that is valid is enough: others are for the time before and after a change. */
export function findExpiry(
  where: string,
  certificates: readonly X509Certificate[],
  found: Examination['found'],
  now: number,
): void {
  const ends = certificates
    .filter(({ validFromDate }) => validFromDate.getTime() <= now)
    .map(({ validToDate }) => validToDate.getTime());
  const end = Math.max(...ends);
  if (ends.length === 0) {
    found('certificate-expired', { where, why: 'it is not valid yet' });
    return;
  }
  const date = new Date(end).toISOString();
  if (end <= now) found('certificate-expired', { where, why: `it expired at ${date}` });
  else if (end - now <= soon) found('certificate-expires-soon', { where, why: `it expires at ${date}` });
}

/** The pages that are made from the source, and their text. */
import { join } from 'node:path';
import { checksPage } from './checks/checks-page.ts';
import { pagesWithGrants } from './checks/grants-section.ts';
import { decisionsPage } from './decisions/decisions-page.ts';
import { auditPicture } from './how-to/audit-picture.ts';
import { doctorPage } from './how-to/doctor-page.ts';
import { exemptionPage, gateRequestPage, settingsPage, tenantPage } from './schema-pages.ts';
import { zeroTrustPage } from './zero-trust-page.ts';

export function generatedPages(): readonly { readonly file: string; readonly text: string }[] {
  return [
    { file: join(import.meta.dirname, 'checks/README.md'), text: checksPage() },
    ...pagesWithGrants(),
    { file: join(import.meta.dirname, 'decisions/README.md'), text: decisionsPage() },
    { file: join(import.meta.dirname, 'how-to/audit.svg'), text: auditPicture() },
    { file: join(import.meta.dirname, 'how-to/doctor.md'), text: doctorPage() },
    { file: join(import.meta.dirname, 'settings.md'), text: settingsPage() },
    { file: join(import.meta.dirname, 'zero-trust.md'), text: zeroTrustPage() },
    { file: join(import.meta.dirname, 'tenant.md'), text: tenantPage() },
    { file: join(import.meta.dirname, 'exemption.md'), text: exemptionPage() },
    { file: join(import.meta.dirname, 'gate-request.md'), text: gateRequestPage() },
  ];
}

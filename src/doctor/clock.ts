import type { DoctorCheck } from './check.ts';

/** Milliseconds. The header that is compared has whole seconds, and answers are on their way for a while. */
const mostSkew = 30_000;

export const clock: DoctorCheck = {
  about: 'clock',
  findings: {
    'clock-skew': {
      severity: 'warning',
      meaning:
        'the clocks of this machine and of the API server differ. Gates, exemptions and certificates end by the clock',
      fix: 'let both follow a time server; if this machine is none of the cluster, look at a node',
    },
  },
  async look({ now, localNow, found }) {
    const why = skewText(localNow - now);
    if (why !== undefined) found('clock-skew', { where: 'this machine', why });
  },
};

/** @param skew milliseconds by which this machine is ahead */
export function skewText(skew: number): string | undefined {
  if (Math.abs(skew) <= mostSkew) return undefined;
  return `its clock is ${Math.round(Math.abs(skew) / 1000)} s ${skew > 0 ? 'ahead of' : 'behind'} that of the API server`;
}

/**
 * Loaded by replicas with certificates in files before anything else (`node --import`): they give API servers three seconds to learn of a
 * CA bundle, in place of a minute. Tests have one API server. Where replicas share a Secret, --rotation says as much.
 */
import { certificateLimits } from '../../src/configuration/certificates.ts';

Object.assign(certificateLimits, { propagationDelay: 3_000, tick: 1_000 });

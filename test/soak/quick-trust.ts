/**
 * Loaded by replicas with certificates in files before anything else (`node --import`): they give API servers three seconds to learn of a
 * CA bundle, in place of a minute. Tests have one API server. Where replicas share a Secret, --rotation says as much.
 */
import { givenLimits } from '../../src/configuration/given-certificates.ts';

Object.assign(givenLimits, { settle: 3_000, tick: 1_000 });

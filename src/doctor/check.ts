/** What one part of `bulkhead doctor` is. Each is a file of this folder, and a line in checks.ts. */
import type { DecodedObject } from '../client/decode.ts';
import type { RequestingReader } from '../facts/cluster-reader.ts';
import type { Severity } from '../report/doctor-report.ts';
import type { Owner, Tenancy } from '../tenancy/tenancy.ts';

/** What an id stands for. docs/how-to/doctor.md has a table of them. */
export interface FindingKind {
  readonly severity: Severity;
  /** A sentence without its full stop. */
  readonly meaning: string;
  /** Imperative, without a full stop. */
  readonly fix: string;
}

export type FindingKinds = Readonly<Record<string, FindingKind>>;

export interface DoctorCheck {
  /** As in "not looked at: ABOUT". */
  readonly about: string;
  /** By id. */
  readonly findings: FindingKinds;
  /** Reads, and returns what it finds. `list` and `get` report what could not be read. */
  look(examination: Examination): Promise<void>;
}

/** What is found beside its kind. */
export interface Found {
  readonly where: string;
  readonly why: string;
  /** Where it differs from that of the kind. */
  readonly fix?: string;
  readonly severity?: Severity;
}

/** What a check is given. Nothing in it writes to the cluster. */
export interface Examination {
  readonly tenancy: Tenancy;
  /** Milliseconds since the epoch, by the clock of the API server. */
  readonly now: number;
  /** By the clock of this machine, at the same moment. */
  readonly localNow: number;
  /** What is wrong or doubtful in settings, Tenants, Exemptions and GateRequests, in sentences. */
  readonly doubts: readonly string[];
  /** Whether this process runs in a pod of the cluster. */
  readonly inCluster: boolean;
  /** Undefined: there is no such namespace. */
  ownerOf(namespace: string): Owner | undefined;
  /** Whether the settings reserve the name for the platform, and no tenant owns it. */
  isPlatform(namespace: string): boolean;
  /**
   * Reads the first of these collections that is served, object by object. Where none is, there are no objects.
   * @returns false: it could not be read, which is reported
   */
  list(paths: readonly [string, ...string[]], tell: (object: DecodedObject) => void): Promise<boolean>;
  /** The body of one GET; undefined: it is not there, or could not be read, which is reported. */
  get(path: string): Promise<unknown>;
  readonly connection: RequestingReader['connection'];
  found(id: string, found: Found): void;
  notLookedAt(what: string, why: string): void;
  /** What the command brings along: see `DoctorTools`. */
  readonly tools: DoctorTools;
}

/** Judgements that the commands share. */
export interface DoctorTools {
  /** What speaks against the label or the mark of a namespace, as in `bulkhead audit`. */
  doubtsAbout(name: string, namespace: DecodedObject['object'], tenancy: Tenancy): readonly string[];
  /** @param stamps of the policies of the applied backstop */
  backstopAge(stamps: readonly (string | undefined)[]): 'absent' | 'older' | 'current';
}

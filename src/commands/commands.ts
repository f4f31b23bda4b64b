/** The commands, in the order of the help. Each is loaded when it is asked for, so that `serve` starts without the others. */
import type { Command } from './command.ts';

interface CommandFile {
  readonly command: Command;
}

export const commands: Readonly<Record<string, () => Promise<CommandFile>>> = {
  serve: () => import('./serve.ts'),
  audit: () => import('./audit.ts'),
  lint: () => import('./lint.ts'),
  explain: () => import('./explain.ts'),
  check: () => import('./check.ts'),
  doctor: () => import('./doctor.ts'),
  backstop: () => import('./backstop.ts'),
  demo: () => import('./demo.ts'),
  version: () => import('./version.ts'),
};

/** Kinds that the settings switch off as a whole: a webhook of their own sends them. */
import type { Module, Settings } from './settings.ts';

export function webhookOf(module: Module): string {
  return `${module === 'rights' ? 'warn' : 'validate'}.${module}.bulkhead.dev`;
}

const modules: readonly Module[] = ['services', 'routes', 'rights'];

/** Whether the settings switch off what the webhook of this name gets. */
export function isSwitchedOff(webhook: string, settings: Pick<Settings, Module>): boolean {
  return modules.some((module) => webhook === webhookOf(module) && !settings[module].judged);
}

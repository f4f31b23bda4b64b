import { excerpt } from '../kubernetes/json.ts';
import type { Parsed } from '../kubernetes/parsed.ts';

/** RFC 3339 date-time, with the letters T and Z in upper case as the API server writes them. */
const time = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})(?:\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/;

/** Milliseconds since the epoch. */
export function parseTime(text: string): Parsed<number> {
  const match = time.exec(text);
  const moment = match === null ? Number.NaN : Date.parse(text);
  if (Number.isNaN(moment)) {
    const fix =
      /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text)) ? `write "${text}T00:00:00Z"` : undefined;
    const reason = `${excerpt(text)} is not a time as in RFC 3339, such as 2027-01-31T00:00:00Z`;
    return fix === undefined ? { ok: false, reason } : { ok: false, reason, fix };
  }
  // Date.parse takes the 30th of February for the 2nd of March, and 24:00 for the next day.
  const [, date = '', clock = ''] = match ?? [];
  if (new Date(`${date}T${clock}Z`).toISOString().slice(0, 19) !== `${date}T${clock}`) {
    return { ok: false, reason: `${excerpt(text)} is a moment that no calendar has` };
  }
  return { ok: true, value: moment };
}

/**
 * A webhook server with the memory of the image's, of which a quarter of the heap is taken. What it parses it keeps for a second, as a
 * review does that waits for facts. Prints its port; when its input ends, it prints the most memory that it had, in MiB, and exits.
 */

import type { Review } from '../../src/admission/decision.ts';
import { decode } from '../../src/admission/decode.ts';
import { answerOf, serve } from './serving.ts';

const taken = new Array<number>(8 * 1024 * 1024).fill(0.5);

const review: Review = async (_phase, body) => {
  const parsed: unknown = body.length < 100 ? undefined : JSON.parse(body.toString());
  const decoded = decode(body);
  await new Promise((resolve) => setTimeout(resolve, body.length < 100 ? 0 : 1000));
  return answerOf({}, JSON.stringify({ kept: [typeof parsed, decoded.ok, taken.length] }));
};

// On a loaded machine it is to be the memory that decides, not the time.
const { port, server } = await serve({ teardown: () => {} }, review, {
  bodyMilliseconds: 20_000,
  requestMilliseconds: 30_000,
});
process.stdout.write(`${port}\n`);
process.stdin.resume().on('end', async () => {
  await server.close();
  process.stdout.write(`${Math.round(process.resourceUsage().maxRSS / 1024)}\n`);
});

/** What Bulkhead is compared with: the least that parses a review and answers it over HTTPS. Argument: the index of the scenario. */
import { once } from 'node:events';
import { createServer } from 'node:https';
import { host, serveForMeasurement } from './child.ts';
import { scenarios } from './scenarios.ts';

const scenario = scenarios[Number(process.argv[2])];

await serveForMeasurement(async ({ certificate, key }) => {
  const server = createServer({ cert: certificate, key, keepAliveTimeout: 120_000 }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const review = JSON.parse(Buffer.concat(chunks).toString());
      const body = JSON.stringify({
        apiVersion: 'admission.k8s.io/v1',
        kind: 'AdmissionReview',
        response: { uid: review.request.uid, ...scenario?.response },
      });
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) });
      response.end(body);
    });
  });
  server.listen(0, host);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port');
  return address.port;
});

/**
 * The least that an admission webhook can be: `node:https`, a review that is parsed, and the answer that it is allowed.
 * Arguments: the address to listen on, the port, and the folder with tls.crt and tls.key.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';

const [address = '', port = '', folder = ''] = process.argv.slice(2);
const cert = readFileSync(join(folder, 'tls.crt'));
const key = readFileSync(join(folder, 'tls.key'));

createServer({ cert, key, keepAliveTimeout: 120_000 }, (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const review = JSON.parse(Buffer.concat(chunks).toString());
    const body = JSON.stringify({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: { uid: review.request.uid, allowed: true },
    });
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) });
    response.end(body);
  });
}).listen(Number(port), address);

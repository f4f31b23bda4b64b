/** Chromium without a window, driven over two pipes by the DevTools protocol. It has no network. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import type { Missing } from '../../apiserver/go-program.ts';

export interface Chromium {
  readonly program: string;
}

const programs = ['chromium', 'chromium-browser', 'google-chrome'];

export async function findChromium(): Promise<Chromium | Missing> {
  const program = programs.find((one) => spawnSync(one, ['--version']).status === 0);
  return program === undefined ? { missing: `none of ${programs.join(', ')} is installed` } : { program };
}

export interface Page {
  /** Errors of the page and of its console, with violations of its security policy; and requests other than of the page itself. */
  readonly errors: string[];
  /** From the start of the navigation until it is drawn and idle. */
  readonly openMilliseconds: number;
  evaluate<Value>(expression: string): Promise<Value>;
  /** As a person presses it: `ArrowRight`, `Enter`, `a`. @param modifiers 2 is Control, 8 Shift */
  press(key: string, modifiers?: number): Promise<void>;
  media(features: Readonly<Record<string, string>>, media?: string): Promise<void>;
  screenshot(file: string): Promise<void>;
  pdf(): Promise<Buffer>;
  /** What a screen reader is given: role and name of each node that has both. */
  accessible(): Promise<readonly string[]>;
  close(): Promise<void>;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly sessionId?: string;
  readonly params?: Record<string, never>;
  readonly result?: Record<string, never>;
  readonly error?: { readonly message: string };
}

export interface Browser {
  /** Opens a page that knows nothing of the others: it has cookies, storage and a cache of its own. */
  open(html: string, size?: { readonly width: number; readonly height: number }): Promise<Page>;
  close(): Promise<void>;
}

/** One browser for all pages of a test file: to start it takes longer than to open a page. */
export async function startChromium({ program }: Chromium): Promise<Browser> {
  const folder = await mkdtemp(join(tmpdir(), 'bulkhead-page-'));
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--remote-debugging-pipe'];
  const child = spawn(program, [...flags, `--user-data-dir=${join(folder, 'profile')}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const [output, input] = [child.stdio[3] as Writable, child.stdio[4] as Readable];
  const waiting = new Map<number, (message: Message) => void>();
  const pages = new Map<string, Heard>();
  let last = 0;
  let rest = '';
  input.setEncoding('utf8');
  input.on('data', (text: string) => {
    const parts = (rest + text).split('\0');
    rest = parts.pop() ?? '';
    for (const part of parts) {
      const message: Message = JSON.parse(part);
      if (message.id !== undefined) waiting.get(message.id)?.(message);
      else pages.get(message.sessionId ?? '')?.(message.method ?? '', message.params ?? {});
    }
  });
  const send: Send = async (method, params = {}, sessionId = undefined) => {
    const id = ++last;
    const answer = new Promise<Message>((resolve) => waiting.set(id, resolve));
    output.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    const { result, error } = await answer;
    waiting.delete(id);
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result ?? {};
  };

  return {
    async open(html, size = { width: 1300, height: 1000 }) {
      const file = join(folder, `${++last}.html`);
      await writeFile(file, html);
      const { browserContextId } = await send('Target.createBrowserContext');
      const { targetId } = await send('Target.createTarget', {
        ...{ url: 'about:blank', browserContextId, newWindow: true, ...size },
      });
      const { sessionId = '' } = await send('Target.attachToTarget', { targetId, flatten: true });
      const close = async () => {
        await send('Target.disposeBrowserContext', { browserContextId });
        pages.delete(sessionId);
      };
      return await openPage(
        pathToFileURL(file).href,
        (method, params) => send(method, params, sessionId),
        (heard) => pages.set(sessionId, heard),
        close,
      );
    },
    async close() {
      child.kill();
      await ended;
      await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

type Answer = Record<string, never>;
type Send = (method: string, params?: object, sessionId?: string) => Promise<Answer>;
type Heard = (method: string, params: Record<string, unknown>) => void;

async function openPage(
  address: string,
  send: (method: string, params?: object) => Promise<Answer>,
  listen: (heard: Heard) => void,
  close: () => Promise<void>,
): Promise<Page> {
  const errors: string[] = [];
  let loaded: () => void = () => {};
  listen((method, params) => {
    if (method === 'Page.loadEventFired') loaded();
    if (method === 'Runtime.exceptionThrown' || method === 'Runtime.consoleAPICalled')
      errors.push(JSON.stringify(params));
    if (method === 'Log.entryAdded') errors.push(JSON.stringify(params));
    if (method === 'Page.javascriptDialogOpening') errors.push(`a dialog: ${JSON.stringify(params)}`);
    const url = method === 'Network.requestWillBeSent' ? (params.request as { url: string }).url : undefined;
    if (url !== undefined && url !== address) errors.push(`a request to ${url}`);
  });
  const evaluate = async <Value>(expression: string): Promise<Value> => {
    const { result, exceptionDetails } = await send('Runtime.evaluate', {
      ...{ expression, returnByValue: true, awaitPromise: true },
    });
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
    return (result as unknown as { value: Value }).value;
  };

  for (const domain of ['Page', 'Runtime', 'Log', 'Network', 'Accessibility']) await send(`${domain}.enable`);
  const begin = performance.now();
  const isLoaded = new Promise<void>((resolve) => {
    loaded = resolve;
  });
  await send('Page.navigate', { url: address });
  await isLoaded;
  await evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))');
  const openMilliseconds = performance.now() - begin;

  return {
    errors,
    openMilliseconds,
    evaluate,
    async press(key, modifiers = 0) {
      const codes: Readonly<Record<string, number>> = {
        Enter: 13,
        Tab: 9,
        ArrowLeft: 37,
        ArrowUp: 38,
        ArrowRight: 39,
        ArrowDown: 40,
        Escape: 27,
        Home: 36,
        End: 35,
        PageDown: 34,
        PageUp: 33,
      };
      const text = key === 'Enter' ? '\r' : key.length === 1 ? key : undefined;
      const code = codes[key] ?? key.toUpperCase().charCodeAt(0);
      const event = { key, code: key, windowsVirtualKeyCode: code, modifiers, ...(text !== undefined && { text }) };
      await send('Input.dispatchKeyEvent', { type: 'keyDown', ...event });
      await send('Input.dispatchKeyEvent', { type: 'keyUp', ...event });
      await evaluate('new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))');
    },
    async media(features, media = '') {
      const listed = Object.entries(features).map(([name, value]) => ({ name, value }));
      await send('Emulation.setEmulatedMedia', { media, features: listed });
    },
    async screenshot(path) {
      const { data } = await send('Page.captureScreenshot', { format: 'png' });
      await writeFile(path, Buffer.from(data as unknown as string, 'base64'));
    },
    async pdf() {
      const { data } = await send('Page.printToPDF', { printBackground: true });
      return Buffer.from(data as unknown as string, 'base64');
    },
    async accessible() {
      const { nodes } = await send('Accessibility.getFullAXTree');
      interface Node {
        readonly ignored: boolean;
        readonly role?: { readonly value: string };
        readonly name?: { readonly value: string };
      }
      return (nodes as unknown as readonly Node[])
        .filter(({ ignored, role, name }) => !ignored && role !== undefined && (name?.value ?? '') !== '')
        .map(({ role, name }) => `${role?.value} ${name?.value}`);
    },
    close,
  };
}

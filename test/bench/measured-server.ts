/** Starts a server in a process of its own and sends it reviews over one connection, one after the other. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { host, type Listening, type ProcessorTime } from './child.ts';
import { type Scenario, targetOf, uid } from './scenarios.ts';

export interface Program {
  readonly file: 'bare-server.ts' | 'bulkhead-server.ts';
  readonly argument: number | string;
}

export interface MeasuredServer {
  /** Sends so many reviews; rejects at the first wrong answer. */
  send(scenario: Scenario, count: number): Promise<void>;
  /** Processor time of the process since its start, in microseconds. */
  processorTime(): Promise<number>;
  stop(): Promise<void>;
}

/** @param runner what is put before the file on the command line: Node with its options, or what runs Node */
export async function startServer(
  { file, argument }: Program,
  runner: readonly [string, ...string[]] = [process.execPath],
): Promise<MeasuredServer> {
  const [program, ...options] = runner;
  const child = spawn(program, [...options, join(import.meta.dirname, file), String(argument)], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const exited = once(child, 'exit');
  const failed = exited.then(() => Promise.reject(new Error(`${file} ended by itself:\n${errors}`)));
  failed.catch(() => {});
  const listening: Listening = await Promise.race([answer<Listening>(child), failed]);
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: listening.caBundle });

  return {
    async send(scenario, count) {
      for (let index = 0; index < count; index++) {
        const mistake = mistakeIn(await Promise.race([post(listening.port, agent, scenario), failed]), scenario);
        if (mistake !== undefined) throw new Error(`${file}, ${scenario.name}: ${mistake}`);
      }
    },
    async processorTime() {
      const answered = answer<ProcessorTime>(child);
      child.send('how much?');
      return (await answered).microseconds;
    },
    async stop() {
      agent.destroy();
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** The next message of the child, which is a program of ours. */
async function answer<Message>(child: ChildProcess): Promise<Message> {
  const [message] = await once(child, 'message');
  return message as Message;
}

function post(port: number, agent: Agent, scenario: Scenario): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': 'application/json', 'Content-Length': scenario.body.length };
    request({ host, port, agent, method: 'POST', path: targetOf(scenario), headers }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on('end', () => resolve(response.statusCode === 200 ? text : `${response.statusCode} ${text}`));
    })
      .on('error', reject)
      .end(scenario.body);
  });
}

function mistakeIn(text: string, scenario: Scenario): string | undefined {
  try {
    const { response } = JSON.parse(text);
    return response.uid === uid ? scenario.mistake(response) : 'the uid is not that of the request';
  } catch {
    return `not a review: ${text}`;
  }
}

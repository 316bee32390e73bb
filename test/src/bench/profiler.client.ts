/** A sampling profile as V8 gives it (Chrome DevTools Protocol, domain Profiler). */
export interface SampledProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
    readonly children?: readonly number[];
  }[];
  readonly samples?: readonly number[];
}

// Where Node listens for debuggers once it gets SIGUSR1.
const inspector = 'http://127.0.0.1:9229/json/list';
const attempts = 50;

/** Samples what a process of this machine does while `work` runs. Throws where its inspector cannot be reached. */
export async function profiled(pid: number, work: () => Promise<unknown>): Promise<SampledProfile> {
  process.kill(pid, 'SIGUSR1');
  const socket = new WebSocket(await inspectorUrl());
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('error', () => reject(new Error('The inspector does not answer.')));
  });
  let last = 0;
  const call = (method: string, params: object = {}): Promise<Record<string, unknown>> => {
    last += 1;
    const id = last;
    return new Promise((resolve) => {
      const listen = ({ data }: MessageEvent): void => {
        const answer = JSON.parse(String(data)) as { id?: number; result?: Record<string, unknown> };
        if (answer.id !== id) return;
        socket.removeEventListener('message', listen);
        resolve(answer.result ?? {});
      };
      socket.addEventListener('message', listen);
      socket.send(JSON.stringify({ id, method, params }));
    });
  };
  try {
    // Another process may have had the port already.
    const { result } = await call('Runtime.evaluate', { expression: 'process.pid' });
    if ((result as { value?: unknown } | undefined)?.value !== pid)
      throw new Error('Another process is being debugged.');
    await call('Profiler.enable');
    await call('Profiler.setSamplingInterval', { interval: 500 });
    await call('Profiler.start');
    await work();
    const { profile } = await call('Profiler.stop');
    return profile as SampledProfile;
  } finally {
    socket.close();
  }
}

async function inspectorUrl(): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const targets = (await (await fetch(inspector)).json()) as { webSocketDebuggerUrl: string }[];
      const [target] = targets;
      if (target !== undefined) return target.webSocketDebuggerUrl;
    } catch (error) {
      if (attempt === attempts) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

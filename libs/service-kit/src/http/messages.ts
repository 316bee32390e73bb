/** What the kit uses of a request and an answer; both are Node's own, as Express hands them on. */
export interface HttpRequest {
  readonly method?: string | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Set by the router once a route is found. */
  readonly route?: { readonly path?: unknown };
}

export interface HttpAnswer {
  statusCode: number;
  readonly headersSent: boolean;
  setHeader(name: string, value: string): unknown;
  end(body?: string): unknown;
  destroy(): unknown;
  on(event: 'finish' | 'close', listener: () => void): unknown;
}

export type Next = (error?: unknown) => void;

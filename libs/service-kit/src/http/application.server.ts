import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { type DynamicModule, StandardSchemaValidationPipe, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { HttpConfiguration } from '../configuration/index.js';
import type { ServiceContext } from '../running/index.js';
import type { HttpAnswer, HttpRequest, Next } from './messages.js';
import { correlate, guard, measure } from './middleware.js';
import { nestLogger } from './nest-logger.js';
import { ProblemFilter } from './problem.filter.js';
import { invalidRequest } from './validation.js';

export interface HttpOptions {
  /** Of the API page. */
  readonly title: string;
  /** Of the API. */
  readonly version: string;
  /** Whether /openapi.json and /docs are served; true where left out. */
  readonly openapi?: boolean;
  /** One paragraph for the API page. */
  readonly description?: string;
}

export interface HttpApplication {
  readonly nest: NestExpressApplication;
  /** Begins to answer; resolves with the base URL. */
  listen(): Promise<string>;
  /** Stops accepting, lets requests in flight finish, and runs the module's shutdown hooks. */
  close(): Promise<void>;
}

/** How long idle and slow connections are kept, milliseconds. */
const patience = { headers: 10_000, request: 60_000, keepAlive: 5_000 } as const;

function addOperations(
  nest: NestExpressApplication,
  { health, metrics, name }: Pick<ServiceContext<HttpConfiguration>, 'health' | 'metrics' | 'name'>,
): void {
  const json = (response: HttpAnswer, status: number, body: unknown) => {
    response.statusCode = status;
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify(body));
  };
  const http = nest.getHttpAdapter();
  http.get('/healthz', (_request: HttpRequest, response: HttpAnswer) =>
    json(response, 200, { service: name, state: health.state }),
  );
  http.get('/readyz', async (_request: HttpRequest, response: HttpAnswer) => {
    const readiness = await health.readiness();
    json(response, readiness.ready ? 200 : 503, { service: name, ...readiness });
  });
  http.get('/metrics', async (_request: HttpRequest, response: HttpAnswer) => {
    const text = await metrics.registry.metrics();
    response.setHeader('Content-Type', metrics.registry.contentType);
    response.end(text);
  });
}

function addApiPage(nest: NestExpressApplication, options: HttpOptions): void {
  const document = new DocumentBuilder()
    .setTitle(options.title)
    .setVersion(options.version)
    .setDescription(options.description ?? '')
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' })
    .build();
  // The page's scripts and styles are served from the installed package; the remote validator is off.
  SwaggerModule.setup('docs', nest, () => SwaggerModule.createDocument(nest, document), {
    jsonDocumentUrl: '/openapi.json',
    raw: ['json'],
    customSiteTitle: options.title,
    swaggerOptions: { validatorUrl: null },
  });
}

/**
 * A Nest application on Express with everything a service of Countersign answers by HTTP: /healthz (the process lives),
 * /readyz (named checks), /metrics, /openapi.json and /docs, problem details for every error, correlation ids, a limit on
 * bodies, and validation of what is declared with a zod schema: `@Body({ schema })`, `@Query({ schema })`, `@Param({ schema })`.
 */
export async function createHttpApplication<Configuration extends HttpConfiguration>(
  context: ServiceContext<Configuration>,
  module: Type<unknown> | DynamicModule,
  options: HttpOptions,
): Promise<HttpApplication> {
  const { http } = context.configuration;
  const nest = await NestFactory.create<NestExpressApplication>(module, {
    logger: nestLogger(context.logger),
    bodyParser: false,
    abortOnError: false,
  });
  const filter = new ProblemFilter(context.logger);
  nest.disable('x-powered-by');
  nest.disable('etag');
  nest.use(correlate, guard, measure(context.metrics));
  nest.useBodyParser('json', { limit: http.bodyLimitBytes, strict: true });
  nest.useBodyParser('urlencoded', { limit: http.bodyLimitBytes, extended: false });
  nest.useGlobalFilters(filter);
  nest.useGlobalPipes(
    new StandardSchemaValidationPipe({ exceptionFactory: (issues) => invalidRequest(issues) }),
  );
  addOperations(nest, context);
  if (options.openapi !== false) addApiPage(nest, options);
  await nest.init();
  // What fails before Nest's own handling: bodies, and paths that cannot be decoded.
  nest.use((error: unknown, _request: HttpRequest, response: HttpAnswer, _next: Next) =>
    filter.answer(error, response),
  );

  const server = nest.getHttpServer();
  server.headersTimeout = patience.headers;
  server.requestTimeout = patience.request;
  server.keepAliveTimeout = patience.keepAlive;
  server.maxRequestsPerSocket = 0;

  return {
    nest,
    async listen() {
      await nest.listen(http.port, http.host);
      const { port } = server.address() as AddressInfo;
      const host = http.host.includes(':') ? `[${http.host}]` : http.host;
      const url = `http://${host}:${port}`;
      context.addresses.set('http', url);
      context.logger.info({ event: 'listening', door: 'http', address: url });
      return url;
    },
    async close() {
      server.closeIdleConnections();
      await nest.close();
    },
  };
}

import { withCorrelation } from '../logging/index.js';
import type { Metrics } from '../metrics.js';
import type { HttpAnswer, HttpRequest, Next } from './messages.js';

/** Takes over or makes a correlation id, and gives it back in the answer. */
export function correlate(request: HttpRequest, response: HttpAnswer, next: Next): void {
  const given = request.headers['x-correlation-id'];
  withCorrelation(typeof given === 'string' ? given : undefined, (id) => {
    response.setHeader('X-Correlation-Id', id);
    next();
  });
}

/** Headers for answers that no cache may keep and no page may misread. */
export function guard(_request: HttpRequest, response: HttpAnswer, next: Next): void {
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('Referrer-Policy', 'no-referrer');
  response.setHeader('X-Frame-Options', 'DENY');
  // The API page brings its own scripts and inline styles; nothing comes from, or goes to, elsewhere.
  response.setHeader(
    'Content-Security-Policy',
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'",
  );
  next();
}

/** Counts and times requests by method, route template and status. */
export function measure(metrics: Metrics) {
  const duration = metrics.histogram('countersign_http_request_seconds', 'Time to answer an HTTP request.', [
    'method',
    'route',
    'status',
  ]);
  return (request: HttpRequest, response: HttpAnswer, next: Next): void => {
    const stop = duration.startTimer();
    response.on('close', () => {
      const route = typeof request.route?.path === 'string' ? request.route.path : 'other';
      stop({ method: request.method ?? 'other', route, status: String(response.statusCode) });
    });
    next();
  };
}

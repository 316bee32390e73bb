import { CountersignError } from '@countersign/errors';
import type { HttpTarget } from '../../targets/index.js';
import type { ServedTarget } from './agent/index.js';
import { ANSWERED, FORWARDED, Routes } from './request/index.js';
import { Upstream, type UpstreamLimits } from './upstream.client.js';

/**
 * What serving each target needs, with a pool of connections to it.
 * @throws CountersignError config.invalid for operations of which nobody could tell which is meant
 */
export function servedTargets(
  targets: ReadonlyMap<string, HttpTarget>,
  limits: UpstreamLimits,
): ReadonlyMap<string, ServedTarget> {
  return new Map([...targets].map(([name, target]) => [name, served(target, limits)]));
}

function served(target: HttpTarget, limits: UpstreamLimits): ServedTarget {
  const upstream = new Upstream(target, limits);
  return {
    target,
    upstream,
    destination: {
      routes: routesOf(target),
      authority: upstream.authority,
      basePath: target.basePath,
      forwarded: new Set([...FORWARDED, ...target.requestHeaders]),
    },
    answered: new Set([...ANSWERED, ...target.responseHeaders]),
  };
}

function routesOf(target: HttpTarget): Routes {
  try {
    return new Routes(target.operations);
  } catch (thrown) {
    const why = thrown instanceof TypeError ? thrown.message : '';
    throw new CountersignError('config.invalid', { detail: `Target ${target.name}: ${why}` });
  }
}

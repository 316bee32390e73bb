/** How certificates of the deployment's authority name an instance: a URI among the alternative names. */
const scheme = 'URI:countersign://';

/**
 * `<service>/<instance>` in the alternative names of a verified certificate, as Node prints them, or undefined. Node quotes
 * a name that could be mistaken for two, so that such a one never matches.
 */
export function peerOf(subjectAltName: string | undefined): string | undefined {
  const name = subjectAltName?.split(', ').find((part) => part.startsWith(scheme));
  const peer = name?.slice(scheme.length);
  return peer !== undefined && /^[a-z0-9-]{1,63}\/[a-z0-9-]{1,63}$/.test(peer) ? peer : undefined;
}

/** The service that `countersign.<service>.v1.…` belongs to; the ingress is no server, so its name needs no exception. */
export function serviceIn(fullName: string): string | undefined {
  return /^countersign\.([a-z]+)\.v\d+\./.exec(fullName)?.[1];
}
